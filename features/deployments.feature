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

  @deployment-switches-when-healthy
  Rule: After the new ReplicaSet is healthy the Deployment serves from it

    "After the new ReplicaSet becomes healthy, the Deployment begins serving from the new ReplicaSet, and
    deletes the previous one."

    This is what lets an app be updated while it is in use. It is no switch, though: old and new Pods change
    places a few at a time, and what clients may see meanwhile is the limit of the sentence.

    Scenario: An update loses no request
      Given a Deployment of 4 Ready Pods behind a Service
      And steady traffic to its Service
      When its Pod spec is updated
      Then the update is complete
      And no request was lost
      And only the new version answers in the end

    Scenario: During an update there are always enough available Pods
      Given a Deployment of 4 Ready Pods behind a Service
      When its Pod spec is updated
      Then the update is complete
      And at no time were fewer Pods available than allowed

    @limit
    Scenario: While an update is under way both versions answer
      Given a Deployment of 4 Ready Pods behind a Service
      And steady traffic to its Service
      When its Pod spec is updated
      Then the update is complete
      And for a while both versions answered in turns

    @limit
    Scenario: A Deployment that replaces all Pods at once has an outage
      Given a Deployment of 2 Ready Pods behind a Service that replaces all of them at once
      And steady traffic to its Service
      When its Pod spec is updated
      Then the update is complete
      And for a while no request was answered
      And the old version answered no more once the new one did

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

  @failed-rollout-keeps-serving
  Rule: An unhealthy new ReplicaSet never takes over

    "After the new ReplicaSet becomes healthy, the Deployment begins serving from the new ReplicaSet."

    So it does not before. A version that does not work costs nobody a request, and it is reported, but only
    after a while: until somebody steps in, the Deployment stays halfway between the two.

    Scenario Outline: An update to a version <that does not work> takes nothing over
      Given a Deployment of 4 Ready Pods behind a Service
      And steady traffic to its Service
      When its Pod spec is updated to a version <that does not work>
      Then the Deployment reports that the update does not progress
      And no request was lost
      And only the old version has answered

      Examples:
        | that does not work        |
        | whose image cannot be had |
        | that is never Ready       |

    Scenario: A rollback ends an update that does not progress
      Given a Deployment of 4 Ready Pods behind a Service
      And its Pod spec was updated to a version whose image cannot be had
      And steady traffic to its Service
      When the update is rolled back
      Then the rollback is complete
      And no request was lost

  @deployments-manage-replicasets
  Rule: You manage Deployments, they manage ReplicaSets, those manage Pods

    "Deployments, in turn, manage ReplicaSets." "[...] you will usually create and manage Deployments rather
    than individual Pods."

    Whoever deletes a ReplicaSet or a Pod by hand works against its owner, which makes it anew. What to delete
    is the Deployment.

    Scenario: A Deployment owns a ReplicaSet, which owns the Pods
      When a Deployment of 2 Pods is created
      Then the Deployment owns one ReplicaSet
      And that ReplicaSet owns all 2 Pods

    Scenario: A deleted ReplicaSet comes back
      Given a Deployment of 2 Ready Pods
      When its ReplicaSet is deleted
      Then a new ReplicaSet with the same Pod spec takes its place
      And the ReplicaSet has 2 Ready Pods

    Scenario: Deleting the Deployment deletes all that it manages
      Given a Deployment of 2 Ready Pods
      When the Deployment is deleted
      Then the ReplicaSet of the Deployment is deleted too
      And all Pods of the Deployment are deleted too

    @limit
    Scenario: A Deployment can be deleted without what it manages
      Given a Deployment of 2 Ready Pods
      When the Deployment is deleted and what it owns is orphaned
      Then the Deployment is gone
      And its ReplicaSet belongs to nobody
      And the same 2 Pods have been Ready all the time
