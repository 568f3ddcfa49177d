Feature: Availability
  How long an app is away after a failure is what its users notice. The published studies of it on Kubernetes break
  one part after the other, and time what follows.

  @availability
  Rule: Kubernetes brings an app back by itself after each of the studied failures

    The studies ("Kubernetes as an Availability Manager for Microservice Applications", arXiv:1901.04946) kill the
    process of a container, kill the process of its Pod, and fail the Node, with one Pod behind a Service; once with
    default settings and once with the most responsive ones. Here the most responsive settings are those of the
    app's own manifest: it tolerates a lost Node for no time at all, and is asked every second whether it is ready.
    How long a silent Node is waited for is the cluster's to set and stays as it is by default; the studies changed
    that as well. Each scenario measures reaction, repair, recovery and outage, which a table at the run's end shows.

    Scenario Outline: With <settings> the app is back after <failed> was killed
      Given a Deployment of 1 Ready Pod behind a Service, with <settings>
      And steady traffic to its Service
      When <failed> is killed
      Then the app is whole again within the time that the settings give
      And its clients lose no request after that time

      Examples:
        | failed                  | settings                     |
        | its Container's process | default settings             |
        | its Container's process | the most responsive settings |
        | its Pod's own process   | default settings             |
        | its Pod's own process   | the most responsive settings |

    @slow @victim-node
    Scenario Outline: With <settings> the app is back after its Node failed
      Given a Deployment of 1 Ready Pod on a Node that may be broken behind a Service, with <settings>
      And steady traffic to its Service
      When the Node of one of its Pods is powered off
      Then the app is whole again within the time that the settings give
      And its clients lose no request after that time

      Examples:
        | settings                     |
        | the most responsive settings |

      @five-minutes
      Examples:
        | settings         |
        | default settings |
