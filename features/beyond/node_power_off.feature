Feature: Nodes without power
  A Node that loses its power cannot say so. The cluster hears nothing of it any more, and has to decide how long it
  waits for a sign of life.

  @node-power-off
  Rule: An app survives the loss of a Node

    With Pods on several Nodes the others go on serving, and what was lost is made anew elsewhere. How soon depends
    on two waits: until the silence counts as a loss, which is the cluster's to set, and until the Pods of the lost
    Node are given up, which is the app's, and five minutes unless it says so. The limits: until the loss is
    noticed, requests go on being sent to nobody; and a Pod of which there may be but one stays where it was.

    @slow @victim-node
    Scenario Outline: An app of two Pods with <settings> is whole again after one of their Nodes was lost
      Given a Deployment of 2 Ready Pods on different Nodes behind a Service, with <settings>
      And steady traffic to its Service
      When the Node of one of its Pods is powered off
      Then the app is whole again within the time that the settings give
      And its clients lose no request after that time
      And some of the requests were answered all the time

      Examples:
        | settings          |
        | short tolerations |

      @five-minutes
      Examples:
        | settings         |
        | default settings |

    @limit @slow @victim-node
    Scenario: Until the loss is noticed requests are sent to the lost Pod
      Given a Deployment of 2 Ready Pods on different Nodes behind a Service, with short tolerations
      And steady traffic to its Service
      When the Node of one of its Pods is powered off
      Then until the loss was noticed the Service went on sending requests to the lost Pod

    @limit @slow @victim-node
    Scenario: A Pod of a StatefulSet is replaced only once somebody says that its Node is gone
      Given a StatefulSet of 1 Ready Pod on a Node that may be broken
      And its Node was powered off and its Pod was given up
      When the Node is marked as out of service
      Then a Pod of the same name and another identity takes its place
      And nobody took its place before that
