Feature: Communication
  How Containers of one Pod reach each other, and how Pods reach other Pods.

  @localhost-between-containers
  Rule: Containers of a Pod reach each other on localhost ports with no configuration

    "All the Containers in a single Pod can access each other via ports on `localhost` with no configuration."

    The Containers of a Pod have one network in common, as the processes of one machine have. That is why a
    helper beside an app needs no address, and also why two of them cannot have the same port.

    Scenario Outline: The <caller> Container reaches a <protocol> port of the <other> one on localhost
      Given a Pod with two Containers that serve on undeclared ports
      When the <caller> Container sends a <protocol> request on localhost to the port of the <other>
      Then the <other> Container answers

      Examples:
        | caller | protocol | other  |
        | first  | TCP      | second |
        | second | TCP      | first  |
        | first  | UDP      | second |
        | second | UDP      | first  |

    @limit
    Scenario: Two Containers of a Pod cannot listen on one port
      When a Pod with two Containers that listen on the same port is created
      Then one of its Containers ends because the port is in use
      And the other one serves on the port undisturbed

    @limit
    Scenario Outline: A port on one Pod's localhost is not reached from another Pod at <place>
      Given a Pod that serves on its localhost only
      And a client Pod on the same Node
      When the client sends a request to that port of <place>
      Then nobody answers
      And the serving Pod's other Container is answered on localhost

      Examples:
        | place             |
        | its own localhost |
        | the Pod's address |

  @pods-need-a-service
  Rule: Communication between Pods requires a Service

    "Communication between different Pods requires configuring a kubernetes Service ..."

    Not because Pods could not reach each other without one: any Pod reaches the address of any other. But a
    Pod's address ends with the Pod, and nobody knows that of the next one. A Service has a name that stays.

    Scenario: A Service's name keeps working when every Pod behind it has been replaced
      Given a ReplicaSet of 2 Ready Pods behind a Service
      And a client Pod that gets answers at the Service's name
      When every Pod behind the Service is deleted
      Then 2 brand-new Pods answer at the Service's name
      And nobody else answers there

    @limit
    Scenario Outline: Without any Service a Pod on <where> is reached at its own address
      Given a Pod with two Containers that serve on undeclared ports
      And a client Pod on <where>
      And no Service
      When the client sends requests to both Containers' ports at the Pod's own address
      Then the first Container answers
      And the second Container answers

      Examples:
        | where         |
        | the same Node |
        | another Node  |

    @limit
    Scenario: A Pod's address does not outlive the Pod
      Given a ReplicaSet of 2 Ready Pods behind a Service
      And a client Pod that gets answers at the Pods' own addresses
      When one of its Pods is deleted
      Then a brand-new Pod takes its place
      And the client gets an answer at the address of the brand-new Pod
      And no Pod of the ReplicaSet answers at the address of the lost Pod

  @service-is-dns-entry
  Rule: A Service behaves like a DNS entry

    "... a kubernetes Service, which behaves somewhat like both a DNS entry and a firewall rule."

    Clients are configured with a name once. Which name is enough depends on where the client is, and what it
    stands for depends on the Service: an address that stays, or the Pods themselves.

    Scenario Outline: A client reaches a Service by its <form>
      Given a ReplicaSet of 2 Ready Pods behind a Service
      And a client Pod
      When the client sends requests to the Service's <form>
      Then the 2 Pods behind the Service answer

      Examples:
        | form                    |
        | short name              |
        | name with its namespace |
        | full name               |

    Scenario: The name stands for the Service's own address
      Given a ReplicaSet of 2 Ready Pods behind a Service
      And a client Pod
      When the client looks up the Service's full name
      Then it finds nothing but the Service's own address

    Scenario: The name of a port stands for the port's number
      Given a ReplicaSet of 2 Ready Pods behind a Service
      And a client Pod
      When the client looks up the Service's port by the port's name
      Then it finds the port's number at the Service's full name

    Scenario: The name of a headless Service stands for the addresses of its Pods
      Given a headless Service with 3 Ready Pods
      And a client Pod
      When the client looks up the Service's full name
      Then it finds nothing but the addresses of its Pods

    Scenario: The name is unknown once the Service is deleted
      Given a ReplicaSet of 2 Ready Pods behind a Service
      And a client Pod that gets answers at the Service's name
      When the Service is deleted
      Then the Service's full name is unknown

  @service-is-firewall-rule
  Rule: A Service behaves somewhat like a firewall rule

    "... a kubernetes Service, which behaves somewhat like both a DNS entry and a firewall rule."

    Somewhat: a Service forwards what it declares, and only to Pods that are ready for it. It is a way in, not
    a wall. Whoever knows a Pod's own address walks past it, unless a NetworkPolicy forbids that.

    Scenario: Only declared ports are forwarded
      Given a Pod with two Containers that serve on undeclared ports
      And a Service that declares the port of the first Container only
      And a client Pod
      When the client sends requests to both Containers' ports at the Service's name
      Then the first Container answers
      And nobody answers at the port of the second Container
      And the second Container answers at the Pod's own address

    Scenario: A Pod that is not Ready gets no requests
      Given a ReplicaSet of 2 Ready Pods behind a Service
      And a client Pod that gets answers at the Service's name
      When one of its Pods fails its readiness check
      Then the Ready Pod answers all requests to the Service's name
      And the unready Pod answers at its own address

    @limit
    Scenario: A Service does not close the Pod's own address
      Given a Pod with two Containers that serve on undeclared ports
      And a Service that declares the port of the first Container only
      And a client Pod
      When the client sends requests to both Containers' ports at the Pod's own address
      Then the first Container answers
      And the second Container answers

    @limit
    Scenario: A NetworkPolicy closes it where the cluster enforces one
      Given a cluster that enforces NetworkPolicies
      And a Pod with two Containers that serve on undeclared ports
      And two client Pods that get answers at the Pod's own address
      When a NetworkPolicy admits the first client only
      Then the second client gets no answer at the Pod's own address
      And the first client still gets answers there

  @lab-inter-pod-communication
  Rule: Lab: inter-Pod communication

    "Lab: inter-Pod communication"

    The lab takes three files of manifests/communication, as they stand: an app, a client and a Service. The
    commands for doing it by hand are in the README of manifests.

    Scenario: Without a Service the client has to know the address of a Pod
      Given the lab's app
      And the lab's client
      When the client asks for the page at the address of each Pod
      Then each Pod of the app answers with its own page

    Scenario: Addresses end with their Pods
      Given the lab's app
      And the lab's client
      When all Pods of the app are deleted
      Then brand-new Pods of the app are Ready
      And the client gets no page of the app at the addresses of the deleted Pods

    Scenario: With a Service the client needs nothing but a name
      Given the lab's app
      And the lab's client
      When the lab's Service is applied
      Then the client gets the pages of all Pods of the app at the Service's name

    Scenario: The name works on when all Pods have been replaced
      Given the lab's app
      And the lab's client
      And the lab's Service
      When all Pods of the app are deleted
      Then brand-new Pods of the app are Ready
      And the client gets the pages of all Pods of the app at the Service's name
