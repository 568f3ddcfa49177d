Feature: Loss of a Node
  Machines fail. What happens to an app then depends on what manages its Pods, and on how long a Node may be silent.

  @node-power-off
  Rule: An app survives the loss of a Node

    The Node's silence is noticed after its grace period, its Pods are left out by Services then, and replaced once
    they have tolerated the loss for as long as they say. The limits: until it is noticed, requests go to Pods that
    are not there; and what must be unique is not replaced, because nobody can know that it does not run any more.

    @slow @victim-node
    Scenario: A lost Pod that tolerates little is replaced soon
      Given a Deployment of 2 Ready Pods on different Nodes that gives up a lost Node after 5 seconds
      And steady traffic to its Service
      When the Node of one of its Pods is powered off
      Then a brand-new Pod takes its place
      And requests are answered again before the Node is back

    @limit @slow @victim-node
    Scenario: Until the loss is noticed requests go to the lost Pod
      Given a Deployment of 2 Ready Pods on different Nodes that gives up a lost Node after 5 seconds
      And steady traffic to its Service
      When the Node of one of its Pods is powered off
      Then the Service still lists the lost Pod until the Node's grace period is over
      And some requests were lost meanwhile

    @limit @slow @victim-node
    Scenario: A Pod of a StatefulSet is not replaced while its Node is silent
      Given a StatefulSet of 1 Ready Pod on a Node that may be broken
      When its Node is powered off
      Then the Pod is given up
      And no other Pod takes its name while the Node is silent
