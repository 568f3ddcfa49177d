Feature: Drains and disruption budgets
  Nodes are emptied for upgrades and repairs. An app can say how much of it may be missing meanwhile.

  @node-drain-respects-budget
  Rule: A drain leaves as many Pods of an app available as its disruption budget demands

    Who drains a Node asks for the eviction of each Pod, and is refused as long as that would leave too few. The
    limits: only evictions are refused, and a budget that allows none stops every drain.

    @victim-node
    Scenario: A drain waits for the replacement of one Pod before it takes the next
      Given a Deployment of 2 Ready Pods on one Node that may be broken, with a budget of 1
      When its Node is drained with patience
      Then an eviction was refused meanwhile
      And at no time was less than 1 Pod available
      And all its Pods are on other Nodes

    @limit @victim-node
    Scenario: A budget that allows no disruption stops the drain
      Given a Deployment of 2 Ready Pods on one Node that may be broken, with a budget of 2
      When somebody asks for the eviction of each Pod
      Then every eviction is refused because of the budget
      And at no time was less than 2 Pods available

    @limit @victim-node
    Scenario: A deletion asks no budget
      Given a Deployment of 2 Ready Pods on one Node that may be broken, with a budget of 2
      When somebody asks for the deletion of one Pod
      Then that is granted although the budget allows no disruption
      And for a while less than 2 Pods were available
