Feature: Crash loops
  What crashes is started again. What crashes again and again is started less and less often.

  @crash-loop-backoff
  Rule: A Container that crashes again and again waits longer before each restart

    At once the first time, then after 10 s, 20 s, 40 s and so on up to five minutes, so that a broken app costs its
    Node little. The price is that it stays down although what broke it may have been mended.

    @slow
    Scenario: Each restart comes later than the one before
      Given a Pod whose Container crashes whenever it is started
      When it has been restarted 4 times
      Then the Pod says that it waits because of its crashes
      And the waits before its restarts doubled from 10 seconds on

    @limit
    Scenario: A new Pod in its place starts without a delay
      Given a Pod whose Container crashes whenever it is started
      And it has been made to wait for long
      When another Pod is made from the same manifest in its place
      Then its Container is started at once

    @limit
    Scenario: A Pod whose Containers are never restarted never waits
      When a Pod is created whose Container crashes and is never restarted
      Then the Pod has failed without a restart
