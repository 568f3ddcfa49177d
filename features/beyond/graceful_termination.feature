Feature: Graceful termination
  Every Pod ends one day: by an update, a drain, an eviction. How it ends decides whether anybody notices.

  @graceful-termination
  Rule: A Pod that is told to end is given time to finish its work

    First its hook is run, then its processes get SIGTERM, and what they have not finished when the grace period is
    over is lost. A Service leaves it out meanwhile, but not at the same instant: an app has to go on answering for
    a while.

    Scenario: A Container that finishes its work in time ends by itself
      Given a Ready Pod that takes 3 seconds to finish its work
      When the Pod is deleted
      Then its Container ended by itself when its work was done
      And the Pod was gone within its grace period

    Scenario: The hook is done before the Container is told to end
      Given a Ready Pod whose hook leaves a file for its Container
      When the Pod is deleted
      Then its Container found the file when it was told to end

    Scenario: A Pod that goes on answering while it ends costs no request
      Given a Deployment of 2 Ready Pods behind a Service
      And steady traffic to its Service
      When one of its Pods is deleted
      Then a brand-new Pod takes its place
      And the deleted Pod is gone
      And no request was lost

    @limit
    Scenario: A Container that does not end in time is killed
      Given a Ready Pod that ignores being told to end
      When the Pod is deleted
      Then its Container was killed when its grace period was over

    @limit
    Scenario: With no grace period the Pod is forgotten before its Container has ended
      Given a Ready Pod that takes 3 seconds to finish its work
      When the Pod is deleted without a grace period
      Then the Pod is gone at once
      And nobody saw its Container end
