"""containerd's configuration."""

from . import catalogue
from .gobuild import Components


def configuration(components: Components, *, root: str, state: str, cni_configuration: str) -> str:
    """The text of a containerd configuration, version 3.

    Args:
        components: Where runc and the CNI plugins are.
        root: What outlives a restart: images and snapshots.
        state: What does not; the socket is in it.
        cni_configuration: The directory of the Pod network's configuration.
    """
    return f"""\
version = 3
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
address = "{state}/containerd.sock"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{catalogue.PAUSE}"

[plugins."io.containerd.cri.v1.runtime"]
# A machine may withhold CAP_SYS_RESOURCE, without which no score can be lowered.
restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{components.directory("cni-plugins")}"]
conf_dir = "{cni_configuration}"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{components.command("runc")}"
"""
