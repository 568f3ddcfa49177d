"""Commands and files in the containers of a real Pod."""

from __future__ import annotations

import time

import pytest

from podproof.errors import TrialError
from podproof.kube import files
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.execute import execute
from podproof.kube.kinds import Object
from podproof.kube.namespaces import Namespace
from podproof.kube.scene import Scene


@pytest.fixture
def pod(scene: Scene) -> Object:
    return scene.start_pod("volumes/separate")


def test_a_command_gives_both_outputs_and_its_exit_code(api: Api, namespace: Namespace, pod: Object) -> None:
    def run(*command: str) -> tuple[str, str, int | None]:
        result = execute(api, namespace.name, pod["metadata"]["name"], "first", list(command))
        return result.stdout, result.stderr, result.exit_code

    assert run("sh", "-c", "echo out; echo err >&2; exit 7") == ("out\n", "err\n", 7)
    assert run("true") == ("", "", 0)
    # More than one frame of the websocket, and what is not plain ASCII.
    assert run("sh", "-c", "yes ü | head -n 40000") == ("ü\n" * 40000, "", 0)

    path = "/tmp/a file"  # noqa: S108 - in a container
    files.write(api, pod, "first", path, 'it\'s a "text" of $HOME\n')
    assert files.read(api, pod, "first", path) == 'it\'s a "text" of $HOME\n'
    assert files.read(api, pod, "second", path) is None
    assert "a file" in files.must_run(api, pod, "first", "ls /tmp")
    with pytest.raises(TrialError, match="`exit 3` failed in container first of Pod separate"):
        files.must_run(api, pod, "first", "exit 3")
    with pytest.raises(TrialError, match="cannot read /etc in container first"):
        files.read(api, pod, "first", "/etc")

    with pytest.raises(TrialError, match="cannot run 'true' in container absent of Pod separate"):
        execute(api, namespace.name, pod["metadata"]["name"], "absent", ["true"])
    with pytest.raises(TrialError, match="could not be run"):
        run("/no/such/program")

    started = time.monotonic()
    brief = Deadline("a test", 0.5, "", "a test")
    with pytest.raises(TrialError, match="'tail' in container first of Pod separate did not end"):
        execute(api, namespace.name, pod["metadata"]["name"], "first", ["tail", "-f", "/dev/null"], brief)
    assert time.monotonic() - started < 5
