Feature: Control plane outages
  The API server, etcd, the controllers and the scheduler decide what is to be. Whether what is goes on without
  them is another question.

  @control-plane-outage
  Rule: Workloads keep serving while the control plane is down, and nothing is lost after

    Every Node knows what it is to run and where to send requests, and goes on by what it knows. So an outage of
    the control plane, or its upgrade, is no outage of the apps. The limits: nothing is decided meanwhile, so
    that nobody replaces what is lost, and whoever writes must wait for the answer.

    @slow @control-plane
    Scenario Outline: An app serves while <part> is <broken>
      Given a Deployment of 2 Ready Pods behind a Service
      And steady traffic to its Service
      When <part> is <broken> for a while
      Then no request was lost
      And its Pods have not changed

      Examples:
        | part                   | broken  |
        | the API server         | stopped |
        | the API server         | frozen  |
        | the controller manager | stopped |
        | etcd                   | stopped |

    @slow @control-plane
    Scenario Outline: <Part> is back soon after it was killed
      Given a Deployment of 2 Ready Pods behind a Service
      And steady traffic to its Service
      When <part> is killed
      Then it answers again
      And no request was lost
      And its Pods have not changed

      Examples:
        | Part                   | part                   |
        | The API server         | the API server         |
        | The controller manager | the controller manager |

    @slow @control-plane
    Scenario: A container that crashes is restarted while the API server is down
      Given a ReplicaSet of 2 Ready Pods
      And a container of one of its Pods is about to crash
      When the API server is stopped for a while
      Then the container was started again in the same Pod meanwhile

    @slow @control-plane
    Scenario: Nothing that was acknowledged is missing after etcd was killed
      Given etcd writes to its disk before it answers
      And somebody stores one object after the other
      When etcd is killed
      Then it answers again
      And every object that was acknowledged is there as it was stored

    @limit @slow @control-plane
    Scenario: Without the controller manager a lost Pod is replaced by nobody
      Given a ReplicaSet of 2 Ready Pods
      And the controller manager is stopped
      When one of its Pods is deleted
      Then no Pod takes its place for as long as that lasts
      And a brand-new Pod takes its place afterwards

    @limit @slow @control-plane
    Scenario: Without the scheduler a replacement gets no Node
      Given a ReplicaSet of 2 Ready Pods
      And the scheduler is stopped
      When one of its Pods is deleted
      Then its replacement has no Node for as long as that lasts
      And a brand-new Pod takes its place afterwards
