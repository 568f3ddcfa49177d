"""The embedded cluster: started, stopped, asked about, its Nodes switched off and on."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock
import psutil

from podproof.cluster import locks, settings
from podproof.cluster.base import Setting
from podproof.errors import ClusterError, UsageError
from podproof.kube.client import Api

from . import (
    boot,
    cgroups,
    controlplane,
    doctor,
    network,
    node,
    origin,
    policies,
    remains,
    state,
    versions,
)
from .flags import Flag, with_flags
from .gobuild import BUILD, RELEASE, Components
from .machine import Machine
from .partition import Partition
from .paths import MARK, ClusterPaths, check_name
from .programs import Programs
from .progress import Report, silent

DEFAULT_NAME = "default"
DEFAULT_NODES = 4

_NOT_RUNNING = frozenset({"STOPPED", "EXITED", "FATAL"})
"""States of a program that supervisord leaves alone, supervisord.org/subprocess.html."""


class EmbeddedCluster:
    """A real Kubernetes cluster on this machine.

    As a context manager it runs within the ``with`` block and ends with the process at the latest; one that
    ran before runs on after.

    Args:
        name: Tells it from others on this machine.
        kubernetes_version: None for the default, ``latest``, a minor or a patch release.
        nodes: How many Nodes, 1 to 9.
        components: Where Kubernetes' own components come from: ``build``, ``release``, a directory, or
            ``auto``; None for what ``$PODPROOF_COMPONENTS`` says, or else ``auto``.
        flags: Components' flags that are to differ, each ``COMPONENT.FLAG=VALUE``; one that runs may
            have some unasked.
        report: Told what is being done.

    Raises:
        UsageError: The name, the version, the number or a flag makes no sense.
    """

    provider = "embedded"

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        *,
        kubernetes_version: str | None = None,
        nodes: int | None = None,
        components: str | None = None,
        flags: Sequence[str] = (),
        report: Report = silent,
    ) -> None:
        if nodes is not None and not 1 <= nodes <= 9:
            raise UsageError(f"an embedded cluster has 1 to 9 Nodes, not {nodes}")
        self._name = check_name(name)
        self._paths = ClusterPaths(name)
        self._wanted_version = kubernetes_version
        self._wanted_nodes = nodes
        self._wanted_components = components
        self._wanted_flags = [Flag.parse(text).text for text in flags]
        self._report = report

    def __enter__(self) -> Self:
        """Start it, or join the one that runs."""
        self.up(owner=os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, if it was started for this process."""
        self.release(os.getpid())

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
    def mark(self) -> Mapping[str, str]:
        """The environment of processes that end with it."""
        return {MARK: str(self._paths.root)}

    @property
    def components(self) -> Components:
        """What it runs, whatever the Go tool of the day would build."""
        return Components.of(self._running.components)

    @property
    def components_origin(self) -> str:
        """Where Kubernetes' own come from: ``build``, ``release``, or the directory that they are in."""
        return self._running.origin

    @property
    def flags(self) -> Sequence[str]:
        """The components' flags that it was started with, each ``COMPONENT.FLAG=VALUE``."""
        return tuple(self._running.flags)

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
    def is_running(self) -> bool:
        """Whether it was started to a good end and its control plane is on."""
        running = state.read(self._paths)
        if running is None or not running.complete or network.keeper_of(self._paths) is None:
            return False
        return self.machine(controlplane.NAME).is_on

    @property
    def is_complete(self) -> bool:
        """Whether it runs and every Node of it is on."""
        return self.is_running and all(machine.is_on for machine in self.machines())

    def up(self, *, owner: int | None = None) -> bool:
        """Start the cluster, or repair it; returns False if there was nothing to do.

        Args:
            owner: A process; when that ends, a cluster that is started here is stopped. None: it runs until
                `down`.

        Raises:
            MachineError: This machine lacks something.
            ComponentError: A component cannot be had.
            ClusterError: The cluster did not start, or a different one of this name runs.
        """
        doctor.require_root()
        with self._locked():
            if self.is_running and not self._owner_is_gone():
                self._refuse_other(self._running)
                self._settle_ownership(owner)
                return self._repair()
            if self._paths.root.exists() or remains.processes(self._paths):
                self._report("an earlier start was cut off: starting over")
                remains.end(self._paths)
            self._start_over(owner)
            return True

    def down(self) -> bool:
        """Stop the cluster and remove everything of it; returns False if there was nothing.

        Raises:
            CleanupError: Something could not be removed; it is named.
        """
        doctor.require_root()
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
        with self._locked():
            running = state.read(self._paths)
            if running is not None and running.owner == owner:
                remains.end(self._paths)

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
        """Switch a Node on again, with the disk that it had; returns when it is Ready.

        Raises:
            UsageError: There is no such Node.
            ClusterError: Its containerd did not start, or the Node did not become Ready.
        """
        spec = next((each for each in self._specifications() if each.name == node), None)
        machine = self.machine(node)
        if machine.is_on or spec is None:
            return
        began = datetime.now(UTC).replace(microsecond=0)  # the API's times have whole seconds
        components = Components.of(self._running.components)
        boot.node_machine(self._paths, machine, spec, self._specifications(), components, self.flags)
        boot.start_node(machine, spec, components)
        api = Api.from_kubeconfig(self.kubeconfig, self.context)
        try:
            boot.await_node(api, machine, began)
        finally:
            api.close()

    def programs(self, machine: str) -> Programs:
        """The programs of a machine, one by one.

        Raises:
            UsageError: There is no such machine.
        """
        return Programs(self.machine(machine))

    def partition(self, node: str) -> Partition:
        """What a Node can be cut off from in part.

        Raises:
            UsageError: There is no such Node.
        """
        spec = next((each for each in self._specifications() if each.name == self.machine(node).name), None)
        if spec is None:
            raise UsageError(f"{node} is no Node")
        return Partition(self.machine(node), spec, self._specifications(), self._addresses)

    def restart_etcd(self, *, durable: bool) -> None:
        """Start etcd anew, with the data that it has.

        Args:
            durable: Whether it waits for its disk before it answers.
        """
        described = controlplane.programs(self.components, self._paths, self._addresses, durable=durable)
        self.machine(controlplane.NAME).reprogram(with_flags(described, self.flags), "etcd")

    @property
    def etcd_is_durable(self) -> bool:
        """Whether the etcd that runs waits for its disk; false if none runs."""
        pid = self.programs(controlplane.NAME).pid("etcd")
        with contextlib.suppress(psutil.Error):
            lax = {controlplane.NO_FSYNC, f"{controlplane.NO_FSYNC}=true"}
            return pid is not None and lax.isdisjoint(psutil.Process(pid).cmdline())
        return False

    def isolate(self, node: str) -> None:
        """Cut a Node's cable: it runs on, but nothing reaches it and it reaches nothing.

        Raises:
            UsageError: There is no such Node.
        """
        name = self.machine(node).name
        self._paths.unplugged(name).touch()  # first, so that `up` mends it whatever becomes of us
        network.unplug(self._paths, name)

    def rejoin(self, node: str) -> None:
        """Mend a Node's cable; nothing happens if it was not cut, or the Node is off.

        Raises:
            UsageError: There is no such Node.
        """
        name = self.machine(node).name
        network.plug_again(self._paths, name)
        self._paths.unplugged(name).unlink(missing_ok=True)

    def is_on(self, node: str) -> bool:
        """Whether a Node's machine runs.

        Raises:
            UsageError: There is no such Node.
        """
        return self.machine(node).is_on

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
        lock = self._paths.lock()
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
        wanted, asked = running.kubernetes_version, self._wanted_version
        # The version of somebody's own build is on no list.
        is_own = running.origin not in (BUILD, RELEASE)
        if asked and not (is_own and origin.fits(wanted, asked)):
            wanted = versions.resolve(asked, self._report, released=running.origin == RELEASE)
        nodes = self._wanted_nodes or running.node_count
        if (wanted, nodes) != (running.kubernetes_version, running.node_count):
            raise ClusterError(
                f"cluster {self._name} runs Kubernetes {running.kubernetes_version} "
                f"on {running.node_count} Nodes, not {wanted} on {nodes}: "
                f"podproof down --name {self._name}, or take another --name"
            )
        if different := self._difference(running):
            raise ClusterError(
                f"cluster {self._name} was started {different}: "
                f"podproof down --name {self._name}, or take another --name"
            )

    def _difference(self, running: state.State) -> str:
        """How it was started, if that is not as it is asked for now."""
        if policies.AGENT not in running.components:
            return "by an earlier podproof, without what enforces NetworkPolicies"
        place = origin.wanted(self._wanted_components)
        if place not in (origin.AUTO, running.origin):
            return f"with components from {running.origin}, not from {place}"
        if place != origin.AUTO and origin.fingerprint(place) != running.fingerprint:
            return f"with what {place} had before that changed"
        if self._wanted_flags and sorted(self._wanted_flags) != sorted(running.flags):
            asked = " and ".join(self._wanted_flags)
            return f"with {' and '.join(running.flags) or 'no flag set'}, not with {asked}"
        return ""

    def _owner_is_gone(self) -> bool:
        """Whether the process that it was started for has ended, so that it is about to be stopped."""
        owner = self._running.owner
        return owner is not None and not psutil.pid_exists(owner)

    def _settle_ownership(self, owner: int | None) -> None:
        """Let `podproof up` keep a run's cluster; refuse it to another run, which it would leave halfway."""
        running = self._running
        if running.owner is None or running.owner == owner:
            return
        if owner is not None:
            raise ClusterError(
                f"cluster {self._name} was started by process {running.owner} and ends with it: wait, "
                f"take another --cluster-name, or keep it: podproof up --name {self._name}"
            )
        running.kept().write(self._paths)
        self._report("it was started for a run: now it stays until podproof down")

    def _repair(self) -> bool:
        """Start what is off; returns False if nothing was."""
        repaired = False
        for machine in self.machines():
            # What somebody breaks on purpose at this moment is left to them.
            with (
                contextlib.suppress(locks.NoneFreeError),
                locks.any_free([locks.of_node(self, machine.name)]),
            ):
                repaired |= self._repair_machine(machine)
        return repaired

    def _repair_machine(self, machine: Machine) -> bool:
        repaired = False
        if not machine.is_on:
            self._report(f"{machine.name} was off: switching it on")
            self.power_on(machine.name)
            repaired = True
        if self._paths.unplugged(machine.name).exists():
            self._report(f"{machine.name} was cut off from the network: plugging it in")
            self.rejoin(machine.name)
            repaired = True
        stopped = [name for name, condition in machine.programs().items() if condition in _NOT_RUNNING]
        if stopped:
            self._report(f"{machine.name}: starting {', '.join(stopped)}")
            machine.start(*stopped)
            repaired = True
        return repaired

    def _start_over(self, owner: int | None) -> None:
        from . import start, store  # only who starts a cluster needs all that this takes

        own = origin.choose(self._wanted_version, self._wanted_components, self._report)
        count = self._wanted_nodes or DEFAULT_NODES
        doctor.require(own.version, count, components=own.place)
        components = Components(own.version, self._report, origin=own.place)
        template = store.template(components, self._report)
        wanted = state.State(
            own.version,
            count,
            -1,
            owner,
            complete=False,
            components=components.directories,
            origin=own.place,
            fingerprint=own.fingerprint,
            flags=self._wanted_flags,
        )
        try:
            start.start(self._paths, wanted, self.context, components, template, self._report)
        except BaseException:
            # What was started and did not come up is of no use; its logs' last words are in the error.
            remains.end(self._paths)
            raise
