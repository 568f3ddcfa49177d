"""How long the parts of an embedded cluster may take to start: many times what an idle machine needs."""

from podproof.kube.deadlines import Deadline

_OURS = "podproof's own patience"

API_SERVER_READY = Deadline(
    "the API server to be ready",
    120,
    "4 s on an idle machine of two cores; a loaded one may take ten times that",
    _OURS,
)
CONTAINERD_READY = Deadline("containerd to be ready", 60, "half a second on an idle machine", _OURS)
NODE_READY = Deadline("a Node to be Ready", 120, "2 s after its kubelet's start on an idle machine", _OURS)
DNS_READY = Deadline(
    "CoreDNS to be available", 180, "3 s after the Nodes are Ready on an idle machine", _OURS
)
OBJECT_MADE = Deadline("a controller to make an object", 60, "at once on an idle machine", _OURS)

READYZ_INTERVAL_SECONDS = 0.05
"""Between two questions whether the API server is ready: nothing can be watched before it is."""
