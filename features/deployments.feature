Feature: Deployments
  A Deployment brings a new version of an app into service, by means of ReplicaSets.

  @deployment-new-replicaset
  Rule: An updated Pod spec starts a new ReplicaSet with it

    "When you submit an updated Pod spec to the Deployment in kubernetes, the Deployment starts a new
    ReplicaSet with the new Pod spec."

    A ReplicaSet never changes the Pods that it has. A new version is therefore always a new ReplicaSet, and
    that is what makes the old version available to go back to.

    Scenario: An updated Pod spec starts a new ReplicaSet
      Given a Deployment of 2 Ready Pods
      When its Pod spec is updated
      Then a new ReplicaSet with the new Pod spec is started
      And the template hash of the new ReplicaSet differs from that of the old one
      And all Ready Pods have the new Pod spec in the end

    @limit
    Scenario: Scaling alone starts no new ReplicaSet
      Given a Deployment of 2 Ready Pods
      When it is scaled to 3 Pods
      Then the ReplicaSet that it has grows to 3 Ready Pods
      And there was never another ReplicaSet

  @deployment-deletes-previous
  Rule: After the switch the Deployment deletes the previous ReplicaSet

    "After the new ReplicaSet becomes healthy, the Deployment begins serving from the new ReplicaSet, and
    deletes the previous one."

    True of the previous Pods, but by default not of the previous ReplicaSet: it stays, empty, and is the way
    back when the new version turns out to be bad.

    Scenario: A Deployment that keeps no history deletes the previous ReplicaSet
      Given a Deployment of 2 Ready Pods that keeps no history
      When its Pod spec is updated
      Then the previous ReplicaSet is deleted
      And the new ReplicaSet had 2 Ready Pods before that

    @limit
    Scenario: By default the previous ReplicaSet is kept without Pods
      Given a Deployment of 2 Ready Pods
      When its Pod spec is updated
      Then the previous ReplicaSet is scaled down to no Pods
      And the previous ReplicaSet still exists when the Deployment has finished

    @limit
    Scenario: A rollback uses the previous ReplicaSet again
      Given a Deployment of 2 Ready Pods
      And its Pod spec was updated
      When the update is rolled back
      Then the previous ReplicaSet has 2 Ready Pods again
      And there are no other ReplicaSets than these two
