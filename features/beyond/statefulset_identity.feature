Feature: StatefulSet identity
  Some apps are not a number of identical Pods: each member has a name, and what it has stored belongs to it.

  @statefulset-identity
  Rule: A Pod of a StatefulSet keeps its name and its storage when it is replaced

    Databases and queues rest on this: the member that comes back is the one that was lost, with its data. The
    limit is that it is another Pod all the same.

    Scenario: A replacement has the name and the files of the Pod that was lost
      Given a StatefulSet of 2 Ready Pods with a claim each
      And its first Pod has written a file to its claim
      When its first Pod is deleted
      Then a Pod of the same name takes its place
      And it finds the file on its claim

    Scenario: Each Pod has a claim of its own
      Given a StatefulSet of 2 Ready Pods with a claim each
      And its first Pod has written a file to its claim
      When the second Pod looks for the file
      Then it is not there

    Scenario: The Pods are started one after the other
      When a StatefulSet of 3 Pods with a claim each is created
      Then it has 3 Ready Pods named in order
      And none was made before the one before it was Ready

    Scenario: The last Pod goes first
      Given a StatefulSet of 2 Ready Pods with a claim each
      When the StatefulSet is scaled to 1 Pod
      Then the Pod of the highest number is gone
      And its first Pod was Ready all the time

    @limit
    Scenario: A replacement is another Pod all the same
      Given a StatefulSet of 2 Ready Pods with a claim each
      When its first Pod is deleted
      Then a Pod of the same name takes its place
      And it has another identity, and its Container nothing of what was not on the claim
