"""A share that Nodes mount over the cluster's network: a server of files by SSH, and sshfs on each Node."""

from __future__ import annotations

from collections.abc import Sequence

from podproof.errors import CleanupError, NotApplicable, TrialError
from podproof.kube import deadlines, files
from podproof.kube.client import ApiError
from podproof.kube.conditions import Check, Falsified, View, preparing
from podproof.kube.kinds import EVENT, PERSISTENT_VOLUME, POD, Kind, Object, name, uid
from podproof.kube.node_directories import HOSTNAME
from podproof.kube.scene import Scene
from podproof.kube.states import is_ready, is_started, tell_pods, why_not_started

CAPABILITY = "a share that every Node mounts"
"""What a cluster lacks that refuses privileged Pods, has no FUSE on its Nodes or no image of sshfs."""

_MANIFEST = "persistent_volumes/share"
_MOUNT = {"app": "share-mount"}
_SECRET = Kind("Secret", "v1", "secrets")
_VOLUME = "/files/volume"
"""The volume's directory as the server has it."""

# The Node's own view of itself is below /proc/1, as the container shares its processes. A mount that is busy
# is detached, too: the readiness probe looks into it every second, which takes a while on a busy machine.
_UNMOUNT = """
umount -l /node/files || :
if grep -q " $1/files " /proc/1/mountinfo; then echo "it is still mounted"; exit 1; fi
cd /proc/1/root
rmdir ".$1/files" ".$1"
rmdir ".${1%/*}" 2>/dev/null || :
[ ! -e ".$1" ]
"""


class Share:
    """The share of one scenario, with a PersistentVolume on it.

    Args:
        scene: Where it is made.
        nodes: The Nodes that mount it.
    """

    def __init__(self, scene: Scene, nodes: Sequence[Object]) -> None:
        self._scene = scene
        self._nodes = nodes
        self._made: list[Object] = []
        self._mounted = False

    def start(self) -> None:
        """Start the server, mount the share on every Node, and make a PersistentVolume on it.

        Raises:
            NotApplicable: The cluster does not allow it, or its Nodes cannot.
            TrialError: It did not come about for another reason.
        """
        # Not applied like all else: what is applied is shown in reports.
        self._scene.api.create(_SECRET, self._scene.namespace.name, _key_pair())
        try:
            self._made = self._scene.apply(_MANIFEST, self._change)
        except ApiError as error:
            if error.status == 403:
                raise NotApplicable(f"{CAPABILITY} ({error.message})") from error
            raise
        refused = Check(
            "the cluster forbids the share",
            frozenset({POD, EVENT}),
            lambda view: bool(_why_refused(view)),
            lambda _: "it does not",
        )
        with preparing("the share is to be mounted on every Node"):
            self._scene.recording.wait_until(self._is_mounted() | refused, deadlines.SHARE_MOUNTED)
        if why := _why_refused(self._scene.recording.world()):
            raise NotApplicable(f"{CAPABILITY} ({why})")
        self._mounted = True

    def is_behind(self, volume: Object) -> bool:
        """Whether a PersistentVolume is the one on this share."""
        return any(each["kind"] == PERSISTENT_VOLUME.name and uid(each) == uid(volume) for each in self._made)

    def read(self, file: str) -> str | None:
        """What a file of the volume has, as the server has it; None if there is none."""
        server = next(each for each in self._made if each["kind"] == POD.name)
        return files.read(self._scene.api, server, "share", f"{_VOLUME}/{file}")

    def stop(self) -> set[str]:
        """Unmount the share from every Node, and see that it is mounted there no more.

        Returns:
            The names of the Nodes that never mounted it but may have been given a directory for it.

        Raises:
            CleanupError: It is, or it cannot be told; the text names the Node.
        """
        if not self._made:
            return set()
        mounted = next(each for each in self._made if each["kind"] == "DaemonSet")
        path = mounted["spec"]["template"]["spec"]["volumes"][0]["hostPath"]["path"]
        stuck = []
        if self._mounted:
            try:
                # One of the Nodes may have been off.
                self._scene.recording.wait_until(self._is_mounted(), deadlines.NODE_BOOT)
            except (Falsified, TrialError) as error:
                stuck.append(str(error))
        there = self._mounts(self._scene.recording.world())
        for pod in filter(is_started, there):
            try:
                files.must_run(self._scene.api, pod, "mount", _UNMOUNT, path)
            except TrialError as error:
                stuck.append(f"Node {pod['spec']['nodeName']}: {error}")
        if stuck:
            raise CleanupError(f"the share is not unmounted everywhere: {'; '.join(stuck)}")
        return {pod["spec"]["nodeName"] for pod in there if "nodeName" in pod["spec"] and not is_started(pod)}

    def _change(self, thing: Object) -> None:
        """Have none but the given Nodes mount it, and its volume used on no other."""
        hosts = [node["metadata"]["labels"][HOSTNAME] for node in self._nodes]
        these = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": hosts}]}
        if thing["kind"] == PERSISTENT_VOLUME.name:
            thing["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": [these]}}
        if thing["kind"] == "DaemonSet":
            required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [these]}}
            thing["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": required}

    def _mounts(self, view: View) -> list[Object]:
        return [pod for pod in view.all(POD) if pod["metadata"].get("labels", {}).items() >= _MOUNT.items()]

    def _is_mounted(self) -> Check:
        wanted = {name(node) for node in self._nodes}
        return Check(
            f"the share is mounted on {', '.join(sorted(wanted))}",
            frozenset({POD}),
            lambda view: {pod["spec"]["nodeName"] for pod in self._mounts(view) if is_ready(pod)} == wanted,
            lambda view: tell_pods(list(view.all(POD))),
        )


def _why_refused(view: View) -> str | None:
    """What in the cluster forbids the share, in its own words; None if nothing does."""
    for pod in view.all(POD):
        why = why_not_started(pod)
        # That no Node takes a Pod may change by itself.
        if why and not why.startswith("Unschedulable"):
            return why
    for event in view.all(EVENT):
        note = str(event.get("note", ""))
        if event.get("reason") == "FailedCreate" or "/dev/fuse" in note:
            return note
    return None


def _key_pair() -> Object:
    """A Secret with a new pair of keys, as ssh-keygen would write them."""
    # Imported late: few scenarios need it, and it takes 5 MiB of each worker.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "share"},
        "stringData": {"key": private.decode(), "key.pub": f"{public.decode()}\n"},
    }
