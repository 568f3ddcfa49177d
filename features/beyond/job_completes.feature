Feature: Jobs
  Work that has an end: a Job starts Pods until enough of them have done it.

  @job-completes-despite-failures
  Rule: A Job completes although Pods of it fail or are lost

    Somebody counts what has been done and starts another Pod for what has not. The limits: work that was under way
    is done again from its beginning, and who fails too often is given up.

    Scenario Outline: A Job completes although one of its Pods <is lost>
      Given a Job that needs 2 Pods to do their work
      When one of its Pods <is lost>
      Then the Job completes when its Pods have done their work
      And 2 Pods have succeeded, and no more

      Examples:
        | is lost    |
        | is deleted |
        | is evicted |
        | fails      |

    @limit
    Scenario: Work that was under way is begun again
      Given a Job that needs 2 Pods to do their work
      When one of its Pods is deleted
      Then another Pod begins its work from the beginning

    @limit
    Scenario: A Job whose Pods fail too often is given up
      When a Job is created whose Pods always fail
      Then the Job has failed because its limit was reached
      And it has tried as often as it may
