Feature: Partition of a Node
  A Node that nobody hears of may be dead, or only out of sight. Kubernetes cannot tell the two apart.

  @node-partition
  Rule: The Pods of a Node that is cut off from the control plane are replaced

    It is treated as lost, by the same times. The limit is what everybody gets wrong: its Pods run on, so that for a
    while there are more of them than anybody asked for.

    @slow @victim-node
    Scenario: A Pod of a Node that is out of sight is replaced, and ended when the Node is back
      Given a Deployment of 2 Ready Pods on different Nodes that gives up a lost Node after 5 seconds
      When the Node of one of its Pods is cut off from the control plane
      Then a brand-new Pod takes its place
      And the Pod that was given up is gone once the Node is back

    @limit @slow @victim-node
    Scenario: A Pod that was given up runs on and answers
      Given a Deployment of 2 Ready Pods on different Nodes that gives up a lost Node after 5 seconds
      And a client Pod
      When the Node of one of its Pods is cut off from the control plane
      Then a brand-new Pod takes its place
      And the Pod that was given up still answers at its own address
