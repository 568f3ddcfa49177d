"""Files in containers, as a user would make them and look at them: by commands in the container."""

from __future__ import annotations

from podproof.errors import TrialError, UsageError
from podproof.kube.client import Api
from podproof.kube.execute import Result, execute
from podproof.kube.kinds import Object

_ABSENT = 44  # an exit code that no shell or tool gives


def run(api: Api, pod: Object, container: str, script: str, *arguments: str) -> Result:
    """Run a shell script in a container; its arguments are ``$1`` and so on."""
    metadata = pod["metadata"]
    return execute(
        api, metadata["namespace"], metadata["name"], container, ["sh", "-c", script, "sh", *arguments]
    )


def must_run(api: Api, pod: Object, container: str, script: str, *arguments: str) -> str:
    """Run a shell script that is part of the trial; gives what it wrote.

    Raises:
        TrialError: It failed.
    """
    result = run(api, pod, container, script, *arguments)
    if not result.ok:
        raise TrialError(
            f"`{script}` failed in container {container} of Pod {pod['metadata']['name']} "
            f"with exit code {result.exit_code}: {result.stderr.strip()}"
        )
    return result.stdout


def write(api: Api, pod: Object, container: str, path: str, text: str) -> None:
    """Write a file and have it on its disk.

    Raises:
        TrialError: It cannot be written.
    """
    must_run(api, pod, container, 'printf %s "$2" >"$1" && sync', path, text)


def read(api: Api, pod: Object, container: str, path: str) -> str | None:
    """What a file has, or None if there is none.

    Raises:
        TrialError: It is there and cannot be read, or nothing can be run in the container.
    """
    result = run(api, pod, container, f'[ -e "$1" ] || exit {_ABSENT}; cat "$1"', path)
    if result.exit_code == _ABSENT:
        return None
    if not result.ok:
        raise TrialError(
            f"cannot read {path} in container {container} of Pod {pod['metadata']['name']}: "
            f"{result.stderr.strip()}"
        )
    return result.stdout


def names(api: Api, pod: Object, container: str, directory: str) -> list[str]:
    """The names of all files in a directory, hidden ones included.

    Raises:
        TrialError: The directory cannot be listed.
    """
    return must_run(api, pod, container, 'ls -A "$1"', directory).split()


def search(api: Api, pod: Object, container: str, name: str) -> list[str]:
    """The paths of all files of a name that a container can see, wherever they are."""
    script = r'find / \( -path /proc -o -path /sys \) -prune -o -name "$1" -print 2>/dev/null; :'
    return must_run(api, pod, container, script, name).split()


def mount_path(pod: Object, container: str, volume: str) -> str:
    """Where a container has a volume.

    Raises:
        UsageError: It does not mount it, so the manifest is another than the step expects.
    """
    for each in pod["spec"]["containers"]:
        for mount in each.get("volumeMounts", ()):
            if (each["name"], mount["name"]) == (container, volume):
                return str(mount["mountPath"])
    raise UsageError(f"container {container} of Pod {pod['metadata']['name']} mounts no volume {volume}")
