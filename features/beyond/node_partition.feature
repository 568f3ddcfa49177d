Feature: Partitioned Nodes
  A Node that is silent may be dead, or alive and out of reach. From outside the two look the same.

  @node-partition
  Rule: A Node that is cut off from the control plane counts as lost, and its Pods are replaced

    To the cluster silence is loss, so an app is whole again elsewhere after a while. The limits are what nearly
    everybody gets wrong: the old Pods run on and serve whoever reaches them, so that for as long as the partition
    lasts there are more Pods than were asked for. "At most one" is not what a Deployment promises. And the
    cluster notices only what keeps a Node from its control plane, not what keeps Nodes from each other.

    @slow @victim-node
    Scenario Outline: The Pods of a Node that is cut off from <part> are replaced elsewhere
      Given a Deployment of 2 Ready Pods on different Nodes behind a Service, with short tolerations
      When the Node of one of its Pods is cut off from <part>
      Then the cluster counts the Node as lost
      And a brand-new Pod takes its place
      And it runs on another Node

      Examples:
        | part               |
        | the control plane  |
        | all that goes out  |

    @limit @slow @victim-node
    Scenario: A Pod that was replaced still runs and answers on the other side
      Given a Deployment of 2 Ready Pods on different Nodes behind a Service, with short tolerations
      And a client Pod
      When the Node of one of its Pods is cut off from the control plane
      Then a brand-new Pod takes its place
      And the client gets an answer at the address of the brand-new Pod
      And the Pod that was replaced still answers at its own address

    @limit @slow @victim-node
    Scenario: The old Pod ends only when the partition is over
      Given a Deployment of 2 Ready Pods on different Nodes behind a Service, with short tolerations
      And the Node of one of its Pods was cut off from the control plane until its Pod was replaced
      When the partition ends
      Then the Pod that was replaced is ended
      And it was there until the partition ended

    @limit @slow @victim-node
    Scenario: The cluster does not notice that a Node is cut off from the other Nodes
      Given a Deployment of 2 Ready Pods on different Nodes behind a Service, with short tolerations
      And steady traffic to its Service
      When the Node of one of its Pods is cut off from the other Nodes
      Then the cluster never counts the Node as lost for as long as it would take
      And requests to its Pod were lost all the while
