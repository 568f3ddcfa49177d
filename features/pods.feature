Feature: Pods
  The smallest thing that Kubernetes runs: one Container or several that live and die together on one Node.

  @pod-many-containers
  Rule: A Pod might contain several Containers, each one component of a larger app

    "A single Pod might contain several Containers, each forming one component of a larger app."

    What is built here is the material's own example: a MySQL-compatible database, an NGINX front end and two
    microservices that link them. Such Containers share one address, one Node and one life, so only what
    belongs together belongs into one Pod.

    Scenario: A visitor's note passes through all Containers of a web app and back
      Given a web app in one Pod
      When a visitor leaves a note at the front end
      Then the database has the note in a row
      And the front end shows the note to the next visitor

    Scenario: The Containers of a web app share one address on one Node
      Given a web app in one Pod
      When each of its Containers is asked where it is
      Then all of them have the address of the Pod
      And all of them are on the same Node

    Scenario: The Containers of a web app end with their Pod
      Given a web app in one Pod
      When the Pod is deleted
      Then all its Containers have ended when it is gone
      And nothing answers at its address any more

  @pod-one-container
  Rule: A Pod with just one Container works

    "Of course, you can also deploy a Pod with just one Container, when that is appropriate for your
    architecture."

    It is what most Pods are.

    Scenario: A Pod with one Container serves
      Given a Ready Pod with one Container
      When another Pod sends it a request
      Then it answers the request

    Scenario: A Pod with one Container ends when its work is done
      Given a Ready Pod with one Container
      When its Container ends without an error
      Then the Pod has succeeded
      And its Container is not started again

  @scale-by-pods
  Rule: To scale horizontally, use several Pods

    "If you want to scale your application horizontally (to provide more overall resources by running more
    instances), you should use multiple Pods, one for each instance."

    Each Pod brings its own share of a Node's resources, and a Service spreads the requests over all of them.
    How much a machine makes of a share differs from one second to the next, so loads are compared as if an
    answer cost the same CPU time in both.

    Scenario: Several replicas are several Pods
      Given an app of 1 Ready Pod behind a Service
      When it is scaled to 3 Pods
      Then it has 3 Ready Pods
      And each of them has a name, an identity and an address of its own

    Scenario: Requests reach all Pods
      Given an app of 3 Ready Pods behind a Service
      When a crowd of clients sends 100 requests to the Service
      Then each Pod has answered some of them

    @quiet
    Scenario: Three Pods serve about three times the load of one
      Given an app of 1 Ready Pod behind a Service
      And a crowd of clients that asks for more than it can serve
      When it is scaled to 3 Pods
      Then it serves about 3 times as many requests as before

    @limit
    Scenario: A Pod itself has no number of replicas
      Given a Ready Pod made by hand
      When somebody tries to scale it
      Then the API server answers that there is nothing to scale
      And it would have scaled a ReplicaSet

  @pods-do-not-heal
  Rule: Pods themselves don't autoscale, self-heal or roll out

    "Pods themselves don't deal with issues such as autoscaling, self-healing, or upgrade rollouts."

    Whoever makes a Pod by hand has to look after it. The limit: the Node looks after its Containers.

    Scenario Outline: A Pod made by hand that is <lost> stays gone
      Given a Ready Pod made by hand
      And a ReplicaSet of 2 Ready Pods
      When all Pods are <lost>
      Then the ReplicaSet has 2 Ready Pods
      And the Pod made by hand was not replaced

      Examples:
        | lost    |
        | deleted |
        | evicted |

    @slow @victim-node
    Scenario: A Pod made by hand whose Node is lost stays lost
      Given a Ready Pod made by hand beside one of a ReplicaSet
      When its Node is powered off
      Then the ReplicaSet's Pod is replaced
      And the Pod made by hand was not replaced

    Scenario: An autoscaler cannot scale a Pod
      Given a Ready Pod made by hand
      When an autoscaler is told to scale it
      Then the autoscaler cannot do that
      And there was never another Pod

    Scenario: A new version of a Pod's specification is refused
      Given a Ready Pod made by hand
      When somebody submits it with another command
      Then the API server refuses that
      And the Pod runs on as it was

    @limit
    Scenario: A Container of a Pod made by hand that crashes is restarted in place
      Given a Ready Pod made by hand
      When its Container crashes
      Then the container is started again in the same Pod
      And there was never another Pod

  @pod-stays-on-node
  Rule: A Pod and all its Containers stay on one Node for their whole life

    "Once a Pod is started on a particular Node, the Pod and all its Containers will remain there for their
    entire lifecycle."

    Nothing moves a Pod. What looks like moving is a new Pod on another Node, without what the old one had.

    Scenario: A Container is restarted on the same Node
      Given a Ready Pod made by hand
      When its Container crashes
      Then the container is started again in the same Pod
      And the Pod was on one Node all the time

    @victim-node
    Scenario: A Pod stays on a Node that is cordoned
      Given a Ready Pod made by hand on a Node that may be broken
      When its Node is cordoned
      Then no new Pod is put on that Node
      And the Pod was Ready all the time
      And the Pod was on one Node all the time

    @victim-node
    Scenario: A Pod of a Node that is drained is replaced, not moved
      Given a ReplicaSet of 1 Ready Pod on a Node that may be broken
      When its Node is drained
      Then a brand-new Pod takes its place
      And it runs on another Node
      And the Pod was on one Node all the time

    @victim-node
    Scenario: A Pod is on the same Node after a reboot
      Given a Ready Pod made by hand on a Node that may be broken
      When its Node is rebooted
      Then the same Pod is Ready again
      And the Pod was on one Node all the time

    Scenario Outline: The API server refuses to move a Pod by <means>
      Given a Ready Pod made by hand
      When somebody tries to move it by <means>
      Then the API server refuses that
      And the Pod was on one Node all the time

      Examples:
        | means                    |
        | naming another Node      |
        | binding it a second time |

  @new-pod-to-upgrade-or-fix
  Rule: Upgrading and fixing both mean a brand-new Pod

    "Upgrading Pods and fixing broken Pods both involve starting a brand new Pod from scratch."

    True of all that manages Pods. The limits are what can be done to a running Pod, and their number grows
    with the versions of Kubernetes.

    Scenario: An upgrade of a Deployment means brand-new Pods
      Given a Deployment of 2 Ready Pods
      When its Pod spec is updated
      Then a new ReplicaSet with the new Pod spec is started
      And all Ready Pods have the new Pod spec in the end
      And none of them was there before the update

    Scenario: A broken Pod of a Deployment is fixed by deleting it
      Given a Deployment of 2 Ready Pods with a readiness check
      And one of its Pods has stopped being Ready
      When the Pod is deleted
      Then a brand-new Pod takes its place
      And the ReplicaSet has 2 Ready Pods

    @limit
    Scenario: Another image restarts the Container in the same Pod
      Given a Ready Pod made by hand
      When its image is changed
      Then its Container runs the new image in the same Pod
      And there was never another Pod

    @limit
    Scenario: A Pod is resized in place
      Given a Ready Pod made by hand
      When its Container is allowed twice the resources
      Then the limits of its processes have changed
      And its Container was not restarted

    @limit
    Scenario: All Containers are restarted in place when one exits
      Given a Ready Pod that starts all over when its first Container crashes
      When the first Container crashes
      Then all its Containers are started again in the same Pod
      And there was never another Pod
