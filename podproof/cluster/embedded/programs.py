"""The programs of a cluster's machines, one by one."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
from pathlib import Path

import psutil
import tenacity

from podproof.errors import UsageError

from . import controlplane, waits
from .machine import Machine

_HEALTH = {
    "kubelet": (True, 10250, "healthz"),
    "kube-apiserver": (True, 6443, "readyz"),
    "kube-controller-manager": (True, 10257, "healthz"),
    "kube-scheduler": (True, 10259, "healthz"),
    "etcd": (False, controlplane.ETCD_HEALTH_PORT, "health"),
}
"""Where each says how it is: whether over TLS, the port, the path."""

_LOOK_SECONDS = 0.1
"""Between two looks at a program that is being stopped: supervisord tells nobody by itself."""

_WELL = 200
_REFUSED = 401
"""The kubelet's answer to whoever does not say who he is; an API server's before it has learned its roles."""

_RUNTIME = "containerd"
_RUNTIME_SOCKET = "run/containerd/containerd.sock"


class Programs:
    """The programs of one machine.

    Args:
        machine: A Node's, or the control plane's.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def pid(self, program: str) -> int | None:
        """The process of a program as the host counts, or None if it does not run.

        Raises:
            UsageError: The machine has no such program.
        """
        inner = self._machine.program_pid(program)
        if not inner:
            return None
        for process in self._machine.processes():
            with contextlib.suppress(OSError):
                if _inner_pid(process.pid) == inner and process.ppid() == self._machine.pid:
                    return process.pid
        return None

    def stop(self, program: str) -> None:
        """Stop a program as an init system does, and have it stay so; nothing happens if it does not run."""
        # One that is frozen would not hear it, and be killed only when its time is up.
        self.signal(program, signal.SIGCONT)
        self._machine.stop(program)

    def start(self, program: str) -> None:
        """Start a program; nothing happens if it runs, and one that is just ending is started after that."""
        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda state: state == "STOPPING"),
            wait=tenacity.wait_fixed(_LOOK_SECONDS),
            stop=tenacity.stop_after_delay(waits.PROGRAM_STOPPED_SECONDS),
            retry_error_callback=lambda _: None,
        )(lambda: self._machine.programs().get(program))
        self._machine.start(program)

    def signal(self, program: str, number: signal.Signals) -> None:
        """Send a program a signal, if it runs."""
        pid = self.pid(program)
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)

    def is_frozen(self, program: str) -> bool:
        """Whether the kernel has stopped its process."""
        pid = self.pid(program)
        with contextlib.suppress(psutil.Error):
            return pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
        return False

    def serves(self, program: str) -> bool:
        """Whether it is one that answers requests, so that it is silent when it is frozen."""
        return program in _HEALTH

    def answers(self, program: str) -> bool:
        """Whether it answers that it is well, or takes a connection if it has but a socket.

        Raises:
            UsageError: Nothing is known of such a program.
        """
        if program == _RUNTIME:
            return self._runtime_takes_connections()
        if program not in _HEALTH:
            raise UsageError(f"no program {program}: there are {', '.join((*_HEALTH, _RUNTIME))}")
        secure, port, path = _HEALTH[program]
        seconds = waits.ANSWER_SECONDS
        host = self._machine.address
        with contextlib.closing(
            http.client.HTTPSConnection(host, port, timeout=seconds, context=_anybody())
            if secure
            else http.client.HTTPConnection(host, port, timeout=seconds)
        ) as connection:
            try:
                connection.request("GET", f"/{path}")
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return False
        return status == _WELL or (program == "kubelet" and status == _REFUSED)

    def _runtime_takes_connections(self) -> bool:
        # The path within the machine's root is too long for a socket's address; a descriptor's is not.
        folder, name = _RUNTIME_SOCKET.rsplit("/", 1)
        try:
            opened = os.open(f"/proc/{self._machine.pid}/root/{folder}", os.O_PATH)
        except OSError:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.settimeout(waits.ANSWER_SECONDS)
                client.connect(f"/proc/self/fd/{opened}/{name}")
            except OSError:
                return False
            finally:
                os.close(opened)
            return True


def _anybody() -> ssl.SSLContext:
    """Who answers need not say who he is: the scheduler makes up a certificate of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _inner_pid(pid: int) -> int:
    """The number of a process in the PID namespace of its machine."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            numbers = line.split()[1:]
            return int(numbers[-1])
    return 0
