"""How long the parts of an embedded cluster may take: many times what an idle machine needs."""

from podproof.kube.deadlines import Deadline

_OURS = "podproof's own patience"

API_SERVER_READY = Deadline(
    "the API server to be ready",
    120,
    "4 s on an idle machine of two cores; a loaded one may take ten times that",
    _OURS,
)
RIGHTS_KNOWN = Deadline(
    "rights that were granted to count",
    30,
    "some milliseconds on an idle machine: the API server watches what it was told itself",
    _OURS,
)
CONTAINERD_READY = Deadline("containerd to be ready", 60, "half a second on an idle machine", _OURS)
NODE_READY = Deadline("a Node to be Ready", 120, "2 s after its kubelet's start on an idle machine", _OURS)
DNS_READY = Deadline(
    "CoreDNS to be available", 180, "3 s after the Nodes are Ready on an idle machine", _OURS
)
DNS_ANSWERS = Deadline(
    "a Node to be answered by DNS",
    30,
    "kube-proxy forwards to CoreDNS at most a second after that is available",
    _OURS,
)
OBJECT_MADE = Deadline("a controller to make an object", 60, "at once on an idle machine", _OURS)

READYZ_INTERVAL_SECONDS = 0.05
"""Between two questions whether the API server is ready: nothing can be watched before it is."""

DNS_QUESTION_SECONDS = 0.1
"""How long one question may go unanswered before the next: the way through kube-proxy cannot be watched."""

FURNISH_SECONDS = 30.0
"""How long process 1 of a machine may take to report; it takes a tenth of a second on an idle machine."""

POWER_OFF_SECONDS = 20.0
"""How long the kernel may take to end a machine's processes, a hundred at most."""

END_SECONDS = 20.0
"""How long the kernel may take to end every process of a cluster, a few hundred at most."""

STORE_SECONDS = 30.0
"""How long containerd may take to start or stop while a store is filled: less than one on an idle machine."""

REACHABLE_SECONDS = 3.0
"""How long a registry may take to answer at all; one that is there takes a tenth of that."""

RELEASES_SECONDS = 2.0
"""How long the site of the releases may take to answer at all, where a build will do as well."""

DOWNLOAD_CONNECT_SECONDS = 10.0
"""How long a connection to that site may take; one that is there takes a tenth of a second."""

DOWNLOAD_SILENCE_SECONDS = 15.0
"""How long a download may stand still before it counts as broken."""

DOWNLOAD_REPORT_SECONDS = 5.0
"""Between two lines about one download."""

CONFIGURATION_SECONDS = 5.0
"""How long the controller manager may take to tell its configuration."""

CONNECT_SECONDS = 2.0
"""How long a connection from machine to machine may take: a thousand times what it needs."""

ANSWER_SECONDS = 2.0
"""How long a program of a machine may take to answer: a hundred times what it needs."""

PROGRAM_STOPPED_SECONDS = 20.0
"""How long a program may take to end: supervisord kills it after ten."""
