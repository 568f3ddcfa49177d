Feature: ReplicaSets
  Pods do not look after themselves. A ReplicaSet does it for them: it keeps several identical Pods.

  @replicaset-identical-pods
  Rule: A ReplicaSet manages several identical Pods

    "A ReplicaSet manages several identical Pods and handles autoscaling and self-healing."

    It knows its Pods by their labels, not by having made them. Whoever changes a label therefore decides
    which Pods are looked after, and which are deleted as one too many.

    Scenario: All Pods are made from the same template
      When a ReplicaSet of 3 Pods is created
      Then the ReplicaSet has 3 Ready Pods
      And each of them is as the template says
      And they are identical in all that the template decides

    Scenario: A matching Pod that nobody owns is adopted
      Given a Ready Pod that nobody owns
      When a ReplicaSet of 3 Pods is created whose labels match it
      Then the ReplicaSet has 3 Ready Pods
      And the Pod that nobody owned is one of them
      And there were never more than 3 Pods

    Scenario: A Pod that no longer matches is let go and replaced
      Given a ReplicaSet of 3 Ready Pods
      When the label of one of its Pods is changed
      Then a brand-new Pod takes its place
      And the relabelled Pod runs on without an owner

    Scenario: A surplus Pod is deleted
      Given a ReplicaSet of 3 Ready Pods
      When one more Pod with the same labels is created
      Then one of these 4 Pods is deleted
      And the ReplicaSet has 3 Ready Pods

  @replicaset-self-heals
  Rule: When a Pod is unhealthy or unreachable the ReplicaSet starts a brand-new Pod

    "When the ReplicaSet detects that one of its Pod is unhealthy or unreachable, the ReplicaSet starts a
    brand new Pod to replace the old one."

    This is why an app survives the loss of any of its Pods. The limits matter as much: a ReplicaSet replaces
    Pods that are lost. A Pod that is merely ill stays, and is treated by its own Node or by nobody.

    Scenario Outline: A Pod that <is lost> is replaced
      Given a ReplicaSet of 2 Ready Pods
      When one of its Pods <is lost>
      Then a brand-new Pod takes its place
      And the ReplicaSet has 2 Ready Pods

      Examples:
        | is lost    |
        | is deleted |
        | is evicted |
        | fails      |

    @slow @victim-node
    Scenario Outline: A Pod whose Node is <lost> is replaced
      Given a ReplicaSet of 2 Ready Pods on different Nodes
      When the Node of one of its Pods is <lost>
      Then a brand-new Pod takes its place
      And the ReplicaSet has 2 Ready Pods

      Examples:
        | lost        |
        | powered off |
        | partitioned |

    @limit
    Scenario: A container that crashes is restarted in the same Pod
      Given a ReplicaSet of 2 Ready Pods
      When a container of one of its Pods crashes
      Then the container is started again in the same Pod
      And the ReplicaSet still has the same Pods

    @limit
    Scenario: A Pod that fails its readiness check leaves its Service but is not replaced
      Given a ReplicaSet of 2 Ready Pods behind a Service
      When one of its Pods fails its readiness check
      Then the Service no longer lists that Pod
      And the ReplicaSet counts 1 Ready Pod
      And the ReplicaSet still has the same Pods

    @limit
    Scenario: A container that fails its liveness check is restarted in the same Pod
      Given a ReplicaSet of 2 Ready Pods with a liveness check
      When a container of one of its Pods fails its liveness check
      Then the container is started again in the same Pod
      And the ReplicaSet still has the same Pods

  @replicaset-autoscales
  Rule: A ReplicaSet handles autoscaling

    "A ReplicaSet manages several identical Pods and handles autoscaling and self-healing."

    Its part in it is to have as many Pods as it is told to. Somebody else has to look at the load and tell it:
    an autoscaler, which needs a cluster that measures what its Pods use.

    @half-a-minute
    Scenario: With an autoscaler it grows under load
      Given a ReplicaSet of 1 Ready Pod with an autoscaler
      When it comes under load
      Then the ReplicaSet grows to 3 Ready Pods

    @half-a-minute
    Scenario: With an autoscaler it shrinks without load
      Given a ReplicaSet of 3 Ready Pods without load
      When an autoscaler begins to look after it
      Then the ReplicaSet shrinks to 1 Ready Pod

    @limit @half-a-minute
    Scenario: Without an autoscaler it keeps its count under the same load
      Given a ReplicaSet of 1 Ready Pod with an autoscaler
      And another ReplicaSet of 1 Ready Pod without one
      When both come under the same load
      Then the ReplicaSet grows to 3 Ready Pods
      And the other one never changed its count meanwhile
      And its Pod was as busy as makes an autoscaler act
