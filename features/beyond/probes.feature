Feature: Probes
  Kubernetes does not know how an app is. It asks, by the probes that the app's owner has written, and acts on the
  answers.

  @probes
  Rule: A Container that is not alive is restarted, one that is not ready is asked for nothing

    The two are mixed up often, and at a price: a liveness probe that asks for too much restarts what works, and a
    readiness probe never repairs anything.

    Scenario: A Container that fails its liveness check is restarted
      Given a ReplicaSet of 2 Ready Pods with a liveness check
      When a container of one of its Pods fails its liveness check
      Then the container is started again in the same Pod

    Scenario: A Pod that is ready again is listed again
      Given a ReplicaSet of 2 Ready Pods behind a Service
      When one of its Pods fails its readiness check
      Then the Service no longer lists that Pod
      And the Service lists that Pod again when its check succeeds

    Scenario: A startup check keeps an impatient liveness check from a slow start
      When a Pod is created that starts slowly, with a startup check
      Then the Pod becomes Ready
      And its Container was not restarted on the way

    @limit
    Scenario: A failing readiness check never restarts a Container
      Given a ReplicaSet of 2 Ready Pods behind a Service
      When one of its Pods fails its readiness check
      Then the ReplicaSet counts 1 Ready Pod
      And the unready Pod's Container runs on as it was

    @limit
    Scenario: An impatient liveness check restarts a Container that is merely slow
      When a Pod is created that starts slowly, without a startup check
      Then its Container is restarted before the Pod is ever Ready
