"""The embedded cluster: started, stopped, asked about, its Nodes switched off and on."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock
import tenacity
import urllib3
import yaml

from podproof.cluster import settings
from podproof.cluster.base import Setting
from podproof.errors import ClusterError, UsageError
from podproof.kube import watch
from podproof.kube.client import Api
from podproof.kube.kinds import DEPLOYMENT, NODE, Object

from . import (
    addons,
    cgroups,
    controlplane,
    daemon,
    doctor,
    images,
    network,
    node,
    pki,
    remains,
    state,
    store,
    versions,
    waits,
)
from .gobuild import Components
from .gotool import last_line
from .machine import MARK, Machine
from .paths import ClusterPaths, check_name
from .progress import Report, silent

DEFAULT_NAME = "default"
DEFAULT_NODES = 4


class EmbeddedCluster:
    """A real Kubernetes cluster on this machine.

    As a context manager it runs within the ``with`` block and ends with the process at the latest.

    Args:
        name: Tells it from others on this machine.
        kubernetes_version: None for the default, ``latest``, a minor or a patch release.
        nodes: How many Nodes, 1 to 9.
        report: Told what is being done.

    Raises:
        UsageError: The name, the version or the number makes no sense.
    """

    provider = "embedded"

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        *,
        kubernetes_version: str | None = None,
        nodes: int | None = None,
        report: Report = silent,
    ) -> None:
        if nodes is not None and not 1 <= nodes <= 9:
            raise UsageError(f"an embedded cluster has 1 to 9 Nodes, not {nodes}")
        self._name = check_name(name)
        self._paths = ClusterPaths(name)
        self._wanted_version = kubernetes_version
        self._wanted_nodes = nodes
        self._report = report

    def __enter__(self) -> Self:
        """Start it."""
        self.up(owner=os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.down()

    # --- what it is --------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name on this machine."""
        return self._name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._paths.kubeconfig

    @property
    def context(self) -> str:
        """The kubeconfig's only context."""
        return f"podproof-{self._name}"

    @property
    def kubernetes_version(self) -> str:
        """The full version that runs."""
        return self._running.kubernetes_version

    @property
    def nodes(self) -> Sequence[str]:
        """The names of its Nodes."""
        return [spec.name for spec in self._specifications()]

    @property
    def victims(self) -> Sequence[str]:
        """The Nodes that Node faults may strike."""
        return [spec.name for spec in self._specifications() if spec.victim]

    @property
    def owner(self) -> int | None:
        """The process that it does not outlive, if any."""
        return self._running.owner

    def settings(self) -> Mapping[str, Setting]:
        """The settings that bounds rest on, as the components tell them."""
        api = Api.from_kubeconfig(self.kubeconfig, self.context)
        try:
            return settings.read(api, controlplane.ask_controller_manager(self._paths, self._addresses))
        finally:
            api.close()

    # --- starting and stopping ---------------------------------------------------------------------

    @property
    def is_complete(self) -> bool:
        """Whether it was started to a good end and every machine of it is on."""
        running = state.read(self._paths)
        if running is None or not running.complete or network.keeper_of(self._paths) is None:
            return False
        return all(machine.is_on for machine in self.machines())

    def up(self, *, owner: int | None = None) -> bool:
        """Start the cluster, or repair it; returns False if it was running already.

        Args:
            owner: A process; when that ends, the cluster is stopped. None: it runs until `down`.

        Raises:
            MachineError: This machine lacks something.
            ComponentError: A component cannot be had.
            ClusterError: The cluster did not start, or a different one of this name runs.
        """
        with self._locked():
            running = state.read(self._paths)
            if self.is_complete and running is not None:
                self._refuse_other(running)
                return False
            if running is not None or self._paths.root.exists() or remains.processes(self._paths):
                self._report("an earlier start was cut off: starting over")
                remains.end(self._paths)
            version = versions.resolve(self._wanted_version)
            doctor.require(version)
            components = Components(version, self._report)
            template = store.template(components, self._report)
            try:
                self._start(components, template, version, owner)
            except BaseException:
                # What was started and did not come up is of no use; its logs' last words are in the error.
                remains.end(self._paths)
                raise
            return True

    def down(self) -> bool:
        """Stop the cluster and remove everything of it; returns False if there was nothing.

        Raises:
            CleanupError: Something could not be removed; it is named.
        """
        with self._locked():
            there = (
                self._paths.root.exists()
                or bool(remains.processes(self._paths))
                or bool(cgroups.present(self._name))
            )
            remains.end(self._paths)
            return there

    def release(self, owner: int) -> None:
        """Stop the cluster if it was started for `owner`."""
        running = state.read(self._paths)
        if running is not None and running.owner == owner:
            self.down()

    # --- power -------------------------------------------------------------------------------------

    def power_off(self, node: str) -> None:
        """Cut a Node's power: returns when the kernel has ended every process of it.

        Raises:
            UsageError: There is no such Node.
        """
        self.machine(node).power_off()
        # A real machine forgets them; a kubelet that finds its last life's tries to revive each for seconds.
        cgroups.remove(self._name, node)

    def power_on(self, node: str) -> None:
        """Switch a Node on again, with the disk that it had; returns when its programs are started.

        Raises:
            UsageError: There is no such Node.
            ClusterError: Its containerd did not start.
        """
        spec = next((each for each in self._specifications() if each.name == node), None)
        machine = self.machine(node)
        if machine.is_on or spec is None:
            return
        self._boot_node(machine, spec, Components(self.kubernetes_version, self._report))
        machine.start("kubelet", "kube-proxy")

    def machine(self, name: str) -> Machine:
        """The machine of that name: a Node, or ``control-plane``.

        Raises:
            UsageError: There is none.
        """
        for machine in self.machines():
            if machine.name == name:
                return machine
        names = ", ".join(machine.name for machine in self.machines())
        raise UsageError(f"cluster {self._name} has no machine {name}; it has {names}")

    def machines(self) -> list[Machine]:
        """The control plane's machine and the Nodes."""
        addresses = self._addresses
        return [
            Machine(self._paths, controlplane.NAME, addresses.control_plane),
            *(Machine(self._paths, spec.name, spec.address) for spec in self._specifications()),
        ]

    # --- inside ------------------------------------------------------------------------------------

    @property
    def _running(self) -> state.State:
        running = state.read(self._paths)
        if running is None:
            raise ClusterError(
                f"cluster {self._name} is not running: podproof up --name {self._name} starts it"
            )
        return running

    @property
    def _addresses(self) -> network.Addresses:
        return network.Addresses(self._running.index)

    def _specifications(self) -> list[node.NodeSpec]:
        return node.specifications(self._running.node_count, self._addresses)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._paths.lock.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._paths.lock)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            self._report(f"another podproof is starting or stopping cluster {self._name}: waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _refuse_other(self, running: state.State) -> None:
        """Say so if the cluster that runs is not the one asked for."""
        wanted = (
            versions.resolve(self._wanted_version) if self._wanted_version else running.kubernetes_version
        )
        nodes = self._wanted_nodes or running.node_count
        if (wanted, nodes) != (running.kubernetes_version, running.node_count):
            raise ClusterError(
                f"cluster {self._name} runs Kubernetes {running.kubernetes_version} "
                f"on {running.node_count} Nodes, not {wanted} on {nodes}: "
                f"podproof down --name {self._name}, or take another --name"
            )

    def _start(self, components: Components, template: Path, version: str, owner: int | None) -> None:
        self._paths.root.mkdir(parents=True)
        running = state.State(
            version, self._wanted_nodes or DEFAULT_NODES, network.first_free_index(), owner, complete=False
        )
        running.write(self._paths)
        if owner is not None:
            self._leave_with(owner)
        network.lay(self._paths, self._addresses, MARK, self._pod_routes())
        self._report(f"cluster {self._name}: Kubernetes {version}, {running.node_count} Nodes")
        configuration = self._paths.root / "kubeadm.yaml"
        pki.KubeadmConfiguration(
            self._name,
            version,
            self._addresses.control_plane,
            network.SERVICE_RANGE,
            network.POD_RANGE,
            images.COREDNS_TAG,
        ).write(configuration, self._paths.pki)
        kubeadm = components.command("kubeadm")
        pki.kubeadm(kubeadm, "init", "phase", "certs", "all", f"--config={configuration}")
        controlplane.issue_certificates(self._paths, self._addresses, self._authority())
        self._boot_control_plane(components)
        with ThreadPoolExecutor(running.node_count) as pool:
            nodes = [
                pool.submit(self._install_node, spec, components, template) for spec in self._specifications()
            ]
            pki.kubeadm(
                kubeadm, "init", "phase", "kubeconfig", "all",
                f"--config={configuration}", f"--kubeconfig-dir={self._paths.kubeconfigs}",
            )  # fmt: skip
            self._write_kubeconfig()
            self._await_api_server()
            control_plane = self.machine(controlplane.NAME)
            addons.grant_rights(self._first_api("super-admin.conf"))
            api = Api.from_kubeconfig(self.kubeconfig, self.context)
            for spec in self._specifications():
                api.create(NODE, None, node.registration(spec))
            control_plane.start("kube-controller-manager", "kube-scheduler")
            for each in nodes:
                each.result()
            for spec in self._specifications():
                self.machine(spec.name).start("kubelet", "kube-proxy")
            self._report("control plane is ready, Nodes are starting")
            addons.install_dns(components, configuration, self.kubeconfig)
            addons.install_storage(api, components)
            for spec in self._specifications():
                watch.until(api, NODE, None, spec.name, _is_ready, waits.NODE_READY)
            self._report("all Nodes are Ready")
            watch.until(api, DEPLOYMENT, "kube-system", "coredns", _is_available, waits.DNS_READY)
            self._report("DNS answers")
        state.State(version, running.node_count, running.index, owner, complete=True).write(self._paths)

    def _boot_control_plane(self, components: Components) -> None:
        machine = self.machine(controlplane.NAME)
        controlplane.prepare(machine)
        self._paths.kubeconfigs.mkdir()  # shown to the machine now, filled while it boots
        needed = [components.directory(name) for name in ("kubernetes", "etcd")]
        machine.power_on(
            controlplane.programs(components, self._paths, self._addresses),
            [*needed, self._paths.pki, self._paths.kubeconfigs],
            self._pod_routes(),
        )

    def _authority(self) -> pki.Authority:
        return pki.Authority(self._paths, f"https://{self._addresses.control_plane}:6443")

    def _pod_routes(self, but: str = "") -> list[network.Route]:
        """The way to the Pods of every Node but one."""
        return [
            network.Route(spec.pod_range, spec.address) for spec in self._specifications() if spec.name != but
        ]

    def _install_node(self, spec: node.NodeSpec, components: Components, template: Path) -> None:
        machine = self.machine(spec.name)
        node.prepare(machine, spec, components, self._paths, self._authority(), self._addresses)
        store.copy(template, machine.disk / "var/lib/containerd")
        self._boot_node(machine, spec, components)

    def _boot_node(self, machine: Machine, spec: node.NodeSpec, components: Components) -> None:
        needed = [components.directory(name) for name in ("kubernetes", "containerd", "runc", "cni-plugins")]
        cgroups.create(self._name, spec.name)
        ready = machine.ready_socket("containerd")
        machine.power_on(node.programs(components, spec), needed, self._pod_routes(but=spec.name))
        if not ready.wait(waits.CONTAINERD_READY.seconds):
            log = machine.logs / "containerd.log"
            raise ClusterError(f"containerd of {spec.name} did not start: {last_line(log.read_text())}")

    def _write_kubeconfig(self) -> None:
        """The administrator's kubeconfig as kubeadm made it, under the context name that people will type."""
        document: Object = yaml.safe_load((self._paths.kubeconfigs / "admin.conf").read_text())
        [context] = document["contexts"]
        context["name"] = document["current-context"] = self.context
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(document))

    def _first_api(self, file: str) -> Api:
        path = self._paths.kubeconfigs / file
        return Api.from_kubeconfig(path, yaml.safe_load(path.read_text())["current-context"])

    def _await_api_server(self) -> None:
        with urllib3.PoolManager(ca_certs=str(self._paths.pki / "ca.crt"), retries=False) as pool:
            url = f"https://{self._addresses.control_plane}:6443/readyz"

            def is_ready() -> bool:
                try:
                    return pool.request("GET", url, timeout=5).status == 200
                except urllib3.exceptions.HTTPError:
                    return False

            try:
                tenacity.Retrying(
                    retry=tenacity.retry_if_result(lambda ready: not ready),
                    wait=tenacity.wait_fixed(waits.READYZ_INTERVAL_SECONDS),
                    stop=tenacity.stop_after_delay(waits.API_SERVER_READY.seconds),
                )(is_ready)
            except tenacity.RetryError:
                logs = self.machine(controlplane.NAME).logs
                words = "; ".join(
                    f"{name}: {last_line((logs / f'{name}.log').read_text(errors='replace'))}"
                    for name in ("etcd", "kube-apiserver")
                    if (logs / f"{name}.log").exists()
                )
                raise ClusterError(f"{waits.API_SERVER_READY} passed; its last words: {words}") from None

    def _leave_with(self, owner: int) -> None:
        """Have a process of its own stop the cluster when `owner` is gone, however that ends."""
        command = [sys.executable, "-m", f"{__package__}.reaper", self._name, str(owner)]
        daemon.spawn(command, os.environ, self._paths.root / "reaper.log")


def _is_ready(thing: Object | None) -> bool:
    conditions = (thing or {}).get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _is_available(thing: Object | None) -> bool:
    return bool((thing or {}).get("status", {}).get("availableReplicas", 0))
