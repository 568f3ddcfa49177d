Feature: Volumes
  What the Containers of a Pod share, and how long it lasts.

  @separate-filesystems
  Rule: By default Containers of a Pod have separate filesystems

    "By default the Containers in a Pod have separate filesystems, to prevent them from interfering with each
    other."

    Two Containers can bring the same paths, with other versions of the same programs, and neither notices.

    Scenario: A file of one Container is absent in the other
      Given a Pod with two Containers and no Volume
      When the first Container writes a file
      Then the first Container has the file
      And the second Container does not have the file

    Scenario: The same path is another file in each Container
      Given a Pod with two Containers and no Volume
      When each Container writes its own name to the same path
      Then each Container finds its own name there

  @shared-volume
  Rule: Containers that mount a Volume see and interact with the same files

    "Each Container in the same Pod that is also configured with Volume storage can then see and interact with
    the same files."

    Sharing is what the configuration says, per Container: it is no property of the Pod.

    Scenario Outline: Containers share the files of <volume>
      Given a Pod whose first two Containers mount <volume>
      When the first Container writes a file to the Volume
      Then the second Container finds the file in the Volume
      And what the second Container changes in it the first Container sees

      Examples:
        | volume             |
        | a Volume on disk   |
        | a Volume in memory |
        | a claim            |

    Scenario: A Container that does not mount the Volume sees nothing of it
      Given a Pod whose first two Containers mount a Volume on disk
      When the first Container writes a file to the Volume
      Then the third Container has no such file anywhere

  @sidecar-updates-web-server
  Rule: A second Container of a web server's Pod updates what it serves

    "An example from the official docs: you might have a Container that acts as a web server for files in a
    shared Volume, and a separate "sidecar" Container that updates those files from a remote source."

    Each Container does one thing: the web server knows nothing of the source, and the updater nothing of the web.

    Scenario Outline: A page follows its remote source by way of <updater>
      Given a client Pod
      And a web server whose page comes from another Service by way of <updater>
      When the page is changed at its source
      Then the web server serves the changed page
      And the web server was not restarted for that

      Examples:
        | updater            |
        | a second Container |
        | a native sidecar   |

  @read-only-web-server
  Rule: The web server only reads, the updater writes but can't affect anything else

    "The separate Containers can be given different security permissions and hardening: the web server should
    only have read access to the shared Volume, while the updater can write to the shared Volume but can't
    affect anything else in the web server's Container."

    Whoever breaks into one of the two gets no further than that one may go. The limit: a Pod has one network.

    Scenario: The web server cannot write to the Volume
      Given a web server that may only read its pages, and an updater
      When the web server tries to write to the Volume
      Then that is refused, because the file system is read-only

    Scenario: What the updater writes to the Volume is served
      Given a client Pod
      And a web server that may only read its pages, and an updater
      When the updater writes a page to the Volume
      Then the web server serves the changed page

    Scenario: The updater does not see the web server's files
      Given a web server that may only read its pages, and an updater
      When the web server writes a file outside of the Volume
      Then the updater has no such file anywhere

    Scenario: The updater does not see the web server's processes
      Given a web server that may only read its pages, and an updater
      When the updater lists all processes that it sees
      Then none of them is the web server's

    @limit
    Scenario: The updater can take a port from the web server
      Given a web server that may only read its pages, and an updater
      When the updater listens on a port
      Then the web server cannot listen on that port

  @volume-survives-container-restart
  Rule: The replacement Container has the same Volume with all changes

    "If one or more Containers is restarted inside a Pod, the replacement Container will have access to the
    same Volume, including all the changes that have happened."

    The Volume belongs to the Pod. However its Container ends, nothing in the Volume is lost or undone.

    Scenario Outline: All changes are there after a Container <ends>
      Given a Pod with two Containers that share a Volume
      And the first Container has added, changed and removed files in the Volume
      When the first Container <ends>
      Then its replacement finds all these changes in the Volume
      And the second Container was not restarted

      Examples:
        | ends                     |
        | crashes                  |
        | is killed                |
        | runs out of memory       |
        | fails its liveness check |

  @volume-dies-with-pod
  Rule: If a Pod dies its Volumes are lost

    "If a Pod dies, however, any Volumes it contained are lost."

    Nobody has to clean up, and nobody can look for the data later. The limits: a reboot of the Node is not
    the Pod's death, and a directory of the Node is not the Pod's own.

    Scenario Outline: The files of a Pod that is <lost> are gone from its Node
      Given a Pod that has written a file to its Volume
      And the file is on the disk of the Pod's Node
      When the Pod is <lost>
      Then the file is gone from that disk

      Examples:
        | lost    |
        | deleted |
        | evicted |

    @limit @victim-node
    Scenario: A reboot of the Node keeps a Volume on disk and empties one in memory
      Given a Pod that has written a file to a Volume on disk
      And it has written a file to a Volume in memory
      When its Node is rebooted
      Then the same Pod has the file on disk
      And the same Pod has no file in memory

    @limit
    Scenario: A directory of the Node outlives the Pod, on that Node only
      Given a Pod that has written a file to a directory of its Node
      When the Pod is deleted
      Then a new Pod on the same Node finds the file
      And a new Pod on another Node does not find it

  @replacement-pod-has-fresh-volume
  Rule: Replacement Pods have fresh Volumes with no data

    "New Pods that kubernetes starts to replace the dead Pod will have fresh Volumes with no data."

    Whatever a Pod is to find again after its replacement has to be kept elsewhere.

    Scenario Outline: A replacement on <where> has an empty Volume
      Given a ReplicaSet of 1 Ready Pod with a Volume
      And its Pod has written a file to the Volume
      And new Pods of the ReplicaSet must run on <where>
      When the Pod is deleted
      Then a brand-new Pod takes its place on <where>
      And its Volume is empty

      Examples:
        | where         |
        | the same Node |
        | another Node  |
