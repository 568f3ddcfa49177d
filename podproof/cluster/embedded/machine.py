"""A machine of the cluster: a set of namespaces with a process 1 that supervises its programs.

Killing process 1 is a true power-off: the kernel ends every process of its PID namespace, then drops the
mounts and the network interfaces that only they held.
"""

import contextlib
import json
import os
import re
import select
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from podproof.errors import ClusterError, UsageError

from . import daemon, network, waits
from .gotool import last_line
from .paths import MARK, ClusterPaths
from .ready import ReadySocket


@dataclass(frozen=True)
class Program:
    """A program that a machine keeps running.

    Attributes:
        name: Its name in commands and logs.
        command: Program and arguments.
        environment: Added to the machine's own.
        start_at_boot: False for those that are started once others are ready.
    """

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    start_at_boot: bool = True


class Machine:
    """One machine of one cluster.

    Args:
        paths: The cluster's files.
        name: The machine's name, also its host name.
        address: Its IPv4 address in the cluster's network.
    """

    def __init__(self, paths: ClusterPaths, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self._paths = paths
        self._files = paths.machine(name)

    @property
    def paths(self) -> ClusterPaths:
        """The files of its cluster."""
        return self._paths

    @property
    def disk(self) -> Path:
        """The machine's root directory, which outlives a power-off."""
        return self._paths.disk(self.name)

    @property
    def logs(self) -> Path:
        """Where its programs' logs are."""
        return self.disk / "var/log/podproof"

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the machine's disk; `path` is as the machine sees it."""
        file = self.disk / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    # --- power -------------------------------------------------------------------------------------

    def power_on(
        self,
        programs: Sequence[Program],
        needed: Sequence[Path],
        routes: Sequence[network.Route],
    ) -> None:
        """Start the machine and return once its programs are being supervised.

        Args:
            programs: What it is to run.
            needed: Paths of the host that they need to see.
            routes: Its routes to others.

        Raises:
            ClusterError: It did not come up; the text is the last line of its log.
        """
        self._files.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        self.write("/podproof/supervisord.conf", _supervisor_configuration(programs))
        plan = self._files / "plan.json"
        plan.write_text(json.dumps(self._plan(programs, needed)))
        status_read, status_write = os.pipe()
        go_read, go_write = os.pipe()
        try:
            self._spawn(plan, status_write, go_read)
            os.close(status_write)
            os.close(go_read)
            status_write = go_read = -1
            self._expect(status_read, b"ready\n")
            network.plug(self._paths, self.name, self.pid, self.address, routes)
            os.write(go_write, b"\n")
            self._expect(status_read, b"furnished\n")
        finally:
            for descriptor in (status_read, status_write, go_read, go_write):
                if descriptor >= 0:
                    os.close(descriptor)

    def power_off(self) -> None:
        """Cut the power: returns when the kernel has ended every process of the machine.

        Raises:
            ClusterError: The kernel did not end them all in time.
        """
        first, launcher = self._first_process(), self._launcher()
        if first is None or launcher is None:
            return
        with contextlib.suppress(ProcessLookupError), _descriptors(first, launcher) as descriptors:
            signal.pidfd_send_signal(descriptors[0], signal.SIGKILL)
            # Process 1 is gone only after all others of its namespace are (pid_namespaces(7)).
            for descriptor in descriptors:
                if not select.select([descriptor], [], [], waits.POWER_OFF_SECONDS)[0]:
                    raise ClusterError(
                        f"{self.name}: processes are left {waits.POWER_OFF_SECONDS:.0f} s after power-off"
                    )
        daemon.reap(launcher)

    @property
    def is_on(self) -> bool:
        """Whether process 1 of the machine runs."""
        return self._first_process() is not None

    @property
    def pid(self) -> int:
        """Process 1 of the machine, as the host counts.

        Raises:
            ClusterError: The machine is off.
        """
        first = self._first_process()
        if first is None:
            raise ClusterError(f"{self.name} is not running: {last_line(self._boot_log())}")
        return first

    def processes(self) -> list[psutil.Process]:
        """Every process of the machine: process 1 and all its descendants, since orphans become its children.

        Those of containers are among them, although containers have PID namespaces of their own.
        """
        first = self._first_process()
        with contextlib.suppress(psutil.NoSuchProcess):
            if first is not None:
                process = psutil.Process(first)
                return [process, *process.children(recursive=True)]
        return []

    # --- programs ----------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start programs, without waiting for each to settle; those that run already are left alone."""
        from supervisor.xmlrpc import Faults

        with self._supervisor() as supervisor:
            for name in names:
                with _passing_over(Faults.ALREADY_STARTED):
                    supervisor.startProcess(name, False)

    def reprogram(self, programs: Sequence[Program], name: str) -> None:
        """Start one program anew as it is described now; the others run on.

        Args:
            programs: All programs of the machine.
            name: The one that has changed.
        """
        self.write("/podproof/supervisord.conf", _supervisor_configuration(programs))
        with self._supervisor() as supervisor:
            supervisor.reloadConfig()
            supervisor.stopProcessGroup(name)
            supervisor.removeProcessGroup(name)
            supervisor.addProcessGroup(name)

    def stop(self, name: str) -> None:
        """Stop a program and have it stay so; nothing happens if it does not run."""
        from supervisor.xmlrpc import Faults

        with self._supervisor() as supervisor, _passing_over(Faults.NOT_RUNNING):
            supervisor.stopProcess(name)

    def program_pid(self, name: str) -> int:
        """The number of a program's process as the machine counts; 0 if it does not run.

        Raises:
            UsageError: The machine has no such program.
        """
        from xmlrpc.client import Fault

        with self._supervisor() as supervisor:
            try:
                return int(supervisor.getProcessInfo(name)["pid"])
            except Fault as error:
                raise UsageError(f"{self.name} has no program {name}: {error.faultString}") from error

    def programs(self) -> dict[str, str]:
        """The state of each program, by name: ``RUNNING``, ``STARTING``, ``BACKOFF``, ``STOPPED`` ..."""
        if not self.is_on:
            return {}
        with contextlib.suppress(OSError), self._supervisor() as supervisor:
            return {each["name"]: each["statename"] for each in supervisor.getAllProcessInfo()}
        return {}

    def endings(self) -> Counter[str]:
        """How often each program has ended by itself, in the life of the machine's disk."""
        log = self.logs / "supervisord.log"
        return Counter(re.findall(r" exited: (\S+) \(", log.read_text()) if log.exists() else ())

    def ready_socket(self, program: str) -> ReadySocket:
        """What `program` tells when it is ready; make it before the machine is powered on."""
        return ReadySocket(self.disk / "podproof" / f"{program}.ready")

    # --- inside ------------------------------------------------------------------------------------

    def _plan(self, programs: Sequence[Program], needed: Sequence[Path]) -> dict[str, Any]:
        ours = [Path(sys.prefix), Path(sys.base_prefix), *needed]
        tools = dict.fromkeys(str(Path(program.command[0]).parent) for program in programs)
        return {
            "hostname": self.name,
            "disk": str(self.disk),
            "needed": [str(path) for path in dict.fromkeys(ours)],
            # Left by a power-off: the CNI plugin's reservations are for Pods that no longer run.
            "forget": ["/run/supervisor.sock"],
            "path": ":".join((*tools, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")),
            "supervisor": "/podproof/supervisord.conf",
        }

    def _spawn(self, plan: Path, status: int, go: int) -> None:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONDONTWRITEBYTECODE": "1",
            MARK: str(self._paths.root),
            "PODPROOF_STATUS_FD": str(status),
            "PODPROOF_GO_FD": str(go),
        }
        namespaces = ["--pid", "--fork", "--kill-child", "--mount", "--net", "--ipc", "--uts"]
        command: list[str | Path] = [
            "unshare",
            *namespaces,
            "--",
            sys.executable,
            "-m",
            f"{__package__}.init",
            plan,
        ]
        launcher = daemon.spawn(command, environment, self._files / "boot.log", keep=(status, go))
        (self._files / "launcher.pid").write_text(str(launcher))

    def _expect(self, descriptor: int, word: bytes) -> None:
        if (
            select.select([descriptor], [], [], waits.FURNISH_SECONDS)[0]
            and os.read(descriptor, len(word)) == word
        ):
            return
        raise ClusterError(f"{self.name} did not start: {last_line(self._boot_log())}")

    def _boot_log(self) -> str:
        log = self._files / "boot.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _first_process(self) -> int | None:
        """The launcher's only child."""
        launcher = self._launcher()
        with contextlib.suppress(psutil.Error):
            if launcher is not None:
                return next((child.pid for child in psutil.Process(launcher).children()), None)
        return None

    def _launcher(self) -> int | None:
        """The process that made the namespaces; it carries our mark, so a re-used number does not deceive."""
        try:
            number = int((self._files / "launcher.pid").read_text())
            return number if psutil.Process(number).environ().get(MARK) == str(self._paths.root) else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    @contextlib.contextmanager
    def _supervisor(self) -> Iterator[Any]:
        """A connection to the machine's supervisord, by its XML-RPC interface."""
        from xmlrpc.client import ServerProxy  # imported late: few callers need it

        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport(None, None, f"unix:///proc/{self.pid}/root/run/supervisor.sock")
        with ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            yield proxy.supervisor


@contextlib.contextmanager
def _passing_over(code: int) -> Iterator[None]:
    """Let one answer of supervisord's pass: that things are already as they are to be."""
    from xmlrpc.client import Fault

    try:
        yield
    except Fault as answer:
        if answer.faultCode != code:
            raise


@contextlib.contextmanager
def _descriptors(*pids: int) -> Iterator[list[int]]:
    """File descriptors of processes: readable once these have ended, whatever becomes of their numbers."""
    opened: list[int] = []
    try:
        for pid in pids:
            opened.append(os.pidfd_open(pid))  # noqa: PERF401 - those opened so far are closed if one fails
        yield opened
    finally:
        for descriptor in opened:
            os.close(descriptor)


_SUPERVISOR = """\
[supervisord]
user = root
logfile = /var/log/podproof/supervisord.log
logfile_maxbytes = 1MB
pidfile = /run/supervisord.pid
childlogdir = /var/log/podproof

[unix_http_server]
file = /run/supervisor.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""


def _supervisor_configuration(programs: Sequence[Program]) -> str:
    """The text of a supervisord.conf: every program restarts whenever it ends, for as long as it takes."""
    sections = [_SUPERVISOR]
    for program in programs:
        settings = ",".join(f'{name}="{_literal(value)}"' for name, value in program.environment.items())
        sections.append(
            f"[program:{program.name}]\n"
            f"command = {' '.join(_word(str(word)) for word in program.command)}\n"
            f"autostart = {str(program.start_at_boot).lower()}\n"
            "autorestart = true\n"
            # An init system does not give up; supervisor waits a second longer after each failed start.
            "startretries = 1000\n"
            "startsecs = 1\n"
            f"environment = {settings}\n"
            f"stdout_logfile = /var/log/podproof/{program.name}.log\n"
            "stdout_logfile_maxbytes = 20MB\n"
            "stdout_logfile_backups = 1\n"
            "redirect_stderr = true\n"
        )
    return "\n".join(sections)


def _word(text: str) -> str:
    """One word of a command, as supervisor splits it: like a shell, after it has looked for comments."""
    return re.sub(r"(?<=\s)(?=[;#])", "''", _literal(shlex.quote(text)))


def _literal(text: str) -> str:
    """Text that supervisor's configuration takes as it stands."""
    return text.replace("%", "%%")
