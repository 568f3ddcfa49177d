"""Starting a cluster from nothing: keys, machines, Nodes, DNS, storage."""

import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import tenacity
import urllib3
import yaml

from podproof.errors import ClusterError, PodproofError
from podproof.kube import watch
from podproof.kube.client import Api
from podproof.kube.kinds import DEPLOYMENT, NODE, Object

from . import addons, boot, controlplane, daemon, dns, network, node, pki, policies, state, store, waits
from .catalogue import COREDNS_TAG
from .flags import COMPONENTS
from .gobuild import Components
from .gotool import last_line
from .machine import Machine
from .paths import MARK, ClusterPaths, cache_lock
from .progress import Report

_ENDINGS = 3
"""How often a program may end during a start: one that dies at once has done so after some four seconds."""

_COMPLAINT = re.compile(
    r'^(?:Error: |.*"command failed" err=|(?=flag provided |invalid value ))(.+)', re.MULTILINE
)
"""What components write that give up: cobra's and klog's words, and those of Go's own flags, as etcd has."""


def start(
    paths: ClusterPaths,
    wanted: state.State,
    context: str,
    components: Components,
    template: Path,
    report: Report,
) -> None:
    """Start a cluster; returns when all Nodes are Ready and DNS answers.

    Args:
        paths: Its files; none may exist yet.
        wanted: What it is to be; its index is chosen here.
        context: What the administrator's kubeconfig calls it.
        components: What it runs.
        template: The containerd store that each Node gets a copy of.
        report: Told what has been reached.

    Raises:
        ClusterError: It did not start; the text has the last words of what failed.
    """
    paths.root.mkdir(parents=True)
    running = _lay_network(paths, wanted)
    report(f"cluster {paths.name}: Kubernetes {running.kubernetes_version}, {running.node_count} Nodes")
    _Start(paths, running, context, components, report).run(template)
    running.completed().write(paths)


def _lay_network(paths: ClusterPaths, wanted: state.State) -> state.State:
    """Choose addresses that no other cluster has, and lay the network while nobody else chooses."""
    with cache_lock("addresses"):
        others = [state.read(ClusterPaths(name)) for name in state.every_name()]
        running = wanted.at(network.first_free_index({each.index for each in others if each}))
        running.write(paths)
        if running.owner is not None:
            _leave_with(paths, running.owner)
        addresses = network.Addresses(running.index)
        specs = node.specifications(running.node_count, addresses)
        network.lay(paths, addresses, boot.pod_routes(specs))
    return running


def _leave_with(paths: ClusterPaths, owner: int) -> None:
    """Have a process of its own stop the cluster when `owner` is gone, however that ends."""
    command = [sys.executable, "-m", f"{__package__}.reaper", paths.name, str(owner)]
    daemon.spawn(command, os.environ | {MARK: str(paths.root)}, paths.root / "reaper.log")


class _Start:
    """One start under way."""

    def __init__(
        self,
        paths: ClusterPaths,
        running: state.State,
        context: str,
        components: Components,
        report: Report,
    ) -> None:
        self._paths = paths
        self._version = running.kubernetes_version
        self._flags = running.flags
        self._context = context
        self._components = components
        self._report = report
        self._addresses = network.Addresses(running.index)
        self._specs: Sequence[node.NodeSpec] = node.specifications(running.node_count, self._addresses)
        self._began = datetime.now(UTC).replace(microsecond=0)  # the API's times have whole seconds
        self._server = f"https://{self._addresses.control_plane}:6443"
        self._control_plane = Machine(paths, controlplane.NAME, self._addresses.control_plane)
        self._nodes = {spec.name: Machine(paths, spec.name, spec.address) for spec in self._specs}

    def run(self, template: Path) -> None:
        """Do it.

        Raises:
            ClusterError: See `start`.
        """
        try:
            self._run(template)
        except PodproofError:
            self._refuse_what_dies()  # its own words say more than those of what waited for it
            raise

    def _run(self, template: Path) -> None:
        """While the API server starts, the Nodes are installed."""
        configuration = self._make_keys()
        authority = pki.Authority(self._paths, self._server)
        controlplane.issue_certificates(self._paths, self._addresses, authority)
        boot.control_plane(
            self._paths, self._control_plane, self._addresses, self._specs, self._components, self._flags
        )
        with ThreadPoolExecutor(len(self._specs)) as pool:
            installing = [pool.submit(self._install, spec, authority, template) for spec in self._specs]
            api = self._await_control_plane(configuration)
            for each in installing:
                each.result()
        policies.admit(api, list(self._nodes.values()))
        for spec in self._specs:
            boot.start_node(self._nodes[spec.name], spec, self._components)
        self._report("control plane is ready, Nodes are starting")
        addons.install_dns(self._components, configuration, self._paths.kubeconfig)
        addons.install_storage(api, self._components)
        for machine in self._nodes.values():
            boot.await_node(api, machine, self._began, self._refuse_what_dies)
        self._report("all Nodes are Ready")
        watch.until(
            api,
            DEPLOYMENT,
            "kube-system",
            "coredns",
            _is_available,
            waits.DNS_READY,
            meanwhile=self._refuse_what_dies,
        )
        for machine in self._nodes.values():
            dns.await_answer(machine.name, machine.pid)
        self._report("DNS answers")
        # Last, so that it takes no time from what is waited for; its first values come seconds later.
        addons.install_metrics(api, self._components)
        api.close()

    def _make_keys(self) -> Path:
        """Write kubeadm's configuration and have it make the keys; returns the configuration."""
        configuration = self._paths.root / "kubeadm.yaml"
        pki.KubeadmConfiguration(
            self._paths.name,
            self._version,
            self._addresses.control_plane,
            network.SERVICE_RANGE,
            network.POD_RANGE,
            COREDNS_TAG,
        ).write(configuration, self._paths.pki)
        self._kubeadm("certs", "all", f"--config={configuration}")
        return configuration

    def _kubeadm(self, *phase: str) -> None:
        pki.kubeadm(self._components.command("kubeadm"), "init", "phase", *phase)

    def _install(self, spec: node.NodeSpec, authority: pki.Authority, template: Path) -> None:
        machine = self._nodes[spec.name]
        node.prepare(machine, spec, self._components, self._paths, authority, self._addresses)
        store.copy(template, machine.disk / "var/lib/containerd")
        boot.node_machine(self._paths, machine, spec, self._specs, self._components, self._flags)

    def _await_control_plane(self, configuration: Path) -> Api:
        """Wait for the API server, tell it of its administrators and Nodes, and start the controllers."""
        kubeconfigs = self._paths.kubeconfigs
        self._kubeadm("kubeconfig", "all", f"--config={configuration}", f"--kubeconfig-dir={kubeconfigs}")
        self._write_kubeconfig()
        self._await_api_server()
        first = kubeconfigs / "super-admin.conf"
        super_admin = Api.from_kubeconfig(first, yaml.safe_load(first.read_text())["current-context"])
        addons.grant_rights(super_admin)
        super_admin.close()
        api = Api.from_kubeconfig(self._paths.kubeconfig, self._context)
        for spec in self._specs:
            api.create(NODE, None, node.registration(spec))
        self._control_plane.start("kube-controller-manager", "kube-scheduler")
        return api

    def _write_kubeconfig(self) -> None:
        """The administrator's kubeconfig as kubeadm made it, under the context name that people will type."""
        document: Object = yaml.safe_load((self._paths.kubeconfigs / "admin.conf").read_text())
        [context] = document["contexts"]
        context["name"] = document["current-context"] = self._context
        self._paths.kubeconfig.touch(mode=0o600)
        self._paths.kubeconfig.write_text(yaml.safe_dump(document))

    def _await_api_server(self) -> None:
        with urllib3.PoolManager(ca_certs=str(self._paths.pki / "ca.crt"), retries=False) as pool:
            url = f"{self._server}/readyz"

            def is_ready() -> bool:
                self._refuse_what_dies()
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
                logs = self._control_plane.logs
                words = "; ".join(
                    f"{name}: {last_line((logs / f'{name}.log').read_text(errors='replace'))}"
                    for name in ("etcd", "kube-apiserver")
                    if (logs / f"{name}.log").exists()
                )
                raise ClusterError(f"{waits.API_SERVER_READY} passed; its last words: {words}") from None

    def _refuse_what_dies(self) -> None:
        """Do not wait for a component that gives up again and again, as one does that dislikes its flags.

        Raises:
            ClusterError: There is one; the text has its own complaint.
        """
        for machine in (self._control_plane, *self._nodes.values()):
            endings = machine.endings()
            for program in (*COMPONENTS, policies.AGENT):
                if endings[program] >= _ENDINGS:
                    log = machine.logs / f"{program}.log"
                    words = _complaint(log.read_text(errors="replace")) if log.exists() else "it left no log"
                    given = [flag for flag in self._flags if flag.startswith(f"{program}.")]
                    told = f", with {' and '.join(given)}" if given else ""
                    raise ClusterError(f"{program} of {machine.name} ends again and again{told}: {words}")


def _complaint(log: str) -> str:
    """Why a component gave up: usage or a trace may come after it, so it need not be the last line."""
    found = _COMPLAINT.findall(log)
    return last_line(found[-1] if found else log)


def _is_available(thing: Object | None) -> bool:
    return bool((thing or {}).get("status", {}).get("availableReplicas", 0))
