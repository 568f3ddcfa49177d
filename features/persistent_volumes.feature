Feature: Persistent volumes
  Storage that is no Pod's own: who provides it, who asks for it, and what it outlives.

  @persistent-data-outlives-pod
  Rule: PV/PVC data lasts longer than a Pod

    "To enable long-term data storage, that lasts longer than a Pod's lifecycle, kubernetes provides
    PersistentVolumes and PersistentVolumeClaims."

    A database can be killed, upgraded and moved. The limits: what deleting the claim does is decided by whoever
    provides the storage, and storage on the disk of one Node is no better than that Node.

    Scenario Outline: Every file on a claim is there after <what>
      Given a Deployment of 1 Ready Pod with a claim
      And its Pod has written files to the claim
      When <happens>
      Then the app runs anew
      And it finds every file unchanged

      Examples:
        | what                        | happens                       |
        | the Pod was deleted         | the Pod is deleted            |
        | the Pod died on its Node    | the Pod is killed on its Node |
        | the Deployment was upgraded | its Pod spec is updated       |

    @victim-node
    Scenario: Every file on a claim is there after the Node was rebooted
      Given a Deployment of 1 Ready Pod with a claim on a Node that may be broken
      And its Pod has written files to the claim
      When its Node is rebooted
      Then the app runs anew on that Node
      And it finds every file unchanged

    @victim-node
    Scenario: Every file on a share is there after the Node was lost
      Given a share that every Node mounts
      And a Deployment of 1 Ready Pod with a claim to the share
      And its Pod has written files to the claim
      When its Node is powered off
      Then the app runs anew on another Node
      And it finds every file unchanged

    @limit
    Scenario: Under the policy Delete the files go with their claim
      Given a Deployment of 1 Ready Pod with a claim under the reclaim policy Delete
      And its Pod has written files to the claim
      And the files are on the disk of a Node
      When the app is deleted with its claim
      Then the PersistentVolume is deleted
      And the files are gone from that disk

    @limit
    Scenario: Under the policy Retain the files outlast their claim
      Given a Deployment of 1 Ready Pod with a claim under the reclaim policy Retain
      And its Pod has written files to the claim
      And the files are on the disk of a Node
      When the app is deleted with its claim
      Then the PersistentVolume is kept as released
      And every file is still on that disk unchanged

    @limit @victim-node
    Scenario: A volume on a Node's own disk is out of reach while the Node is down
      Given a Deployment of 1 Ready Pod with a claim to a Node's own disk
      And its Pod has written files to the claim
      When its Node is powered off
      Then its replacement waits for that Node because of the volume
      And it finds every file unchanged once the Node is back

  @accessed-like-any-volume
  Rule: Containers access persistent volumes like any other Volume

    "Containers access these like any other Volume, but kubernetes keeps track of changes and manages persisting
    them over time."

    An app does not know what it writes to. Where its files go is a line of its Pod, not of its Containers.

    Scenario: The same Container works alike on a claim and on any other Volume
      Given two Pods with the same Container, one with a claim as its Volume
      When both Containers add, change, rename and remove files
      Then both Containers find the same files in their Volumes
      And the specification of both Containers is the same

  @administrators-provide-volumes
  Rule: PVs are set up by administrators

    "The PersistentVolumes are set up by the cluster administrators, sort of like Nodes."

    Storage costs money and belongs to somebody. A developer asks for it; that the cluster has some is no
    developer's business, and no developer's right.

    Scenario Outline: <who> who creates a <thing> is <answered>
      Given a developer's and an administrator's accounts
      When <who> creates a <thing>
      Then the API server has <answered> it

      Examples:
        | who              | thing            | answered |
        | a developer      | claim            | accepted |
        | a developer      | PersistentVolume | refused  |
        | a developer      | StorageClass     | refused  |
        | an administrator | PersistentVolume | accepted |
        | an administrator | StorageClass     | accepted |

    Scenario Outline: A developer gets <volume> from an administrator
      Given a developer's and an administrator's accounts
      And an administrator has provided <provided>
      When a developer creates a Pod with a claim
      Then the developer's claim is bound to <volume>
      And the developer's Pod is Ready

      Examples:
        | volume                         | provided           |
        | a volume that was there before | a PersistentVolume |
        | a volume that is made for it   | a StorageClass     |

  @any-storage-behind-a-volume
  Rule: A PV is an abstraction over any storage

    "In the same way that a Node is an abstraction that can respresent any variety of hardware or cloud servers, a
    PersistentVolume is an abstraction over any type of persistent storage."

    The Pod and its claim are the same file each time. What differs is what the administrator has done before.

    Scenario Outline: A Pod that knows nothing of it has its files on <storage>
      Given an administrator has put <storage> behind a class
      When a Pod with a claim for that class is created
      Then the claim is bound to <storage>
      And what the Pod writes is found on that storage

      Examples:
        | storage                           |
        | a directory of a Node             |
        | a disk of a Node                  |
        | storage that is divided on demand |
        | a share that every Node mounts    |

  @pod-picks-volume-type
  Rule: Several PV types; each Pod uses the one it wants

    "It's possible to configure multiple types of PersistentVolumes in a cluster, and then configure each individual
    Pod to use a particular type of PV based on performance, cost, or features of the underlying storage system."

    A claim names a class and is bound to nothing else, even if that is all there is.

    Scenario: Two Pods side by side each get a volume of the class that they want
      Given two classes of volumes
      When two Pods are created that claim a class each
      Then each claim is bound to a volume of its own class
      And each Pod finds in its Volume what was put there

    @limit
    Scenario: A claim for a class that nobody provides stays Pending
      Given two classes of volumes
      When a Pod is created that claims a class that nobody provides
      Then its claim stays Pending
      And the Pod stays Pending too

  @developer-uses-claims
  Rule: Developers use claims for PVs as Pods use Nodes

    "The app developer creates Pods to use the cluster's Nodes, and creates PersistentVolumeClaims to use the
    cluster's PersistentVolumes."

    A claim says what is needed and waits until there is a volume that has it, as a Pod waits for a Node.

    Scenario: A claim is bound as soon as a volume fits it
      Given a claim that waits for a volume
      When a volume is provided that fits the claim
      Then the claim is bound to that volume

    Scenario Outline: A claim waits on beside a volume that <falls short>
      Given a claim that waits for a volume
      When a volume is provided that <falls short>
      Then the claim stays Pending

      Examples:
        | falls short             |
        | is too small            |
        | has another access mode |

    Scenario: A claim for one Pod alone refuses a second
      Given a Ready Pod with a claim for one Pod alone
      When a second Pod with the same claim is created
      Then the second Pod waits because the claim is in use

  @lab-persistent-volume
  Rule: Lab: NGINX serves from a PersistentVolume

    "Adapted from https://kubernetes.io/docs/tasks/configure-pod-container/configure-persistent-volume-storage/"

    The whole way by hand: storage of the cluster, a claim to it, a Pod that uses it. The commands stand in
    manifests/README.md.

    Scenario: NGINX serves the page of a PersistentVolume
      Given a page on a Node that reads "Hello from Kubernetes storage"
      And a PersistentVolume of 10Gi on the directory of the page
      And a claim of 3Gi that is bound to it
      When a Pod of NGINX with the claim is created
      Then NGINX serves "Hello from Kubernetes storage"

    Scenario: NGINX serves the page again after its Pod was recreated
      Given a page on a Node that reads "Hello from Kubernetes storage"
      And a PersistentVolume of 10Gi on the directory of the page
      And a claim of 3Gi that is bound to it
      And a Pod of NGINX that serves the page
      When the Pod is deleted and created anew
      Then NGINX serves "Hello from Kubernetes storage"
