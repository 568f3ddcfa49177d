"""Commands in containers, over the API server's websocket."""

from __future__ import annotations

from dataclasses import dataclass

import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import ws_client

from podproof.errors import TrialError
from podproof.kube import deadlines
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended.

    Attributes:
        stdout: What it wrote there.
        stderr: What it wrote there.
        exit_code: As the process gave it, 137 for one that was killed; None if its container ended first.
    """

    stdout: str
    stderr: str
    exit_code: int | None

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.exit_code == 0


def execute(
    api: Api,
    namespace: str,
    pod: str,
    container: str,
    command: list[str],
    deadline: Deadline = deadlines.COMMAND,
) -> Result:
    """Run a command in a container and wait for its end.

    Args:
        api: The server.
        namespace: The Pod's.
        pod: Its name.
        container: The container's name.
        command: The program and its arguments; no shell unless it is one.
        deadline: How long the command may take.

    Raises:
        TrialError: The command could not be started, or did not end in time.
    """
    where = f"in container {container} of Pod {pod}"
    # The websocket client takes the path, the user and the certificates from the transport's configuration;
    # `kubernetes.stream.stream` would swap a method of the client that other threads are using.
    _, url, headers, *_ = api.client.param_serialize(
        "GET", POD.path(namespace, pod, "exec"), header_params={}, auth_settings=["BearerToken"]
    )
    query = [("container", container), ("stdout", "true"), ("stderr", "true"), ("command", command)]
    try:
        socket = ws_client.websocket_call(  # type: ignore[no-untyped-call]  # the client ships none for it
            api.client.configuration,
            "GET",
            url,
            headers=headers,
            query_params=query,
            _preload_content=False,
            binary=True,  # a character may be cut in two by the end of a frame
        )
    except ApiException as error:
        if isinstance(error.__context__, KeyboardInterrupt | SystemExit):
            raise error.__context__ from None  # the client takes it for an error of the connection
        raise TrialError(f"cannot run {command[0]!r} {where}: {error.reason}") from error
    try:
        socket.run_forever(timeout=deadline.patience)
        if socket.is_open():
            raise TrialError(f"{command[0]!r} {where} did not end within {deadline}")
        return Result(
            socket.read_channel(ws_client.STDOUT_CHANNEL).decode("utf-8", "replace"),
            socket.read_channel(ws_client.STDERR_CHANNEL).decode("utf-8", "replace"),
            _exit_code(socket.read_channel(ws_client.ERROR_CHANNEL), where),
        )
    finally:
        socket.sock.shutdown()  # `close` leaves the connection open when the server has closed its side


def _exit_code(channel: bytes, where: str) -> int | None:
    """The exit code from the Status object that ends a command's stream."""
    status = yaml.safe_load(channel) or {}
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or []
    for cause in causes:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    if status.get("reason") == "InternalError":
        raise TrialError(f"the command {where} could not be run: {status.get('message')}")
    return None
