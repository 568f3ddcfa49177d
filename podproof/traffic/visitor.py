"""A visitor of a web server: a Pod that sends it one request and looks at the answer.

The visiting container has `wget` and `timeout`, see `manifests/pods/client.yaml`.
"""

from __future__ import annotations

from podproof.kube import deadlines, files
from podproof.kube.client import Api
from podproof.kube.kinds import Object

_CONTAINER = "client"
_GET = 'timeout "$1" wget -q -O - "$2"'
_POST = 'timeout "$1" wget -q -O - --post-data "$3" "$2"'


def url(pod: Object, path: str) -> str:
    """Where a Pod serves a page, at its own address and the port that its manifest calls ``http``."""
    [port] = [
        port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
        if port.get("name") == "http"
    ]
    address = pod["status"]["podIP"]
    return f"http://[{address}]:{port}{path}" if ":" in address else f"http://{address}:{port}{path}"


def fetch(api: Api, visitor: Object, url: str) -> str | None:
    """Ask for a page; gives its text, or None if there was no answer or it said no."""
    result = files.run(api, visitor, _CONTAINER, _GET, _patience(), url)
    return result.stdout if result.ok else None


def post(api: Api, visitor: Object, url: str, text: str) -> str | None:
    """Send a text to a page; gives the answer, or None if there was none or it said no."""
    result = files.run(api, visitor, _CONTAINER, _POST, _patience(), url, text)
    return result.stdout if result.ok else None


def _patience() -> str:
    return f"{deadlines.PAGE_ANSWERED.patience:g}"
