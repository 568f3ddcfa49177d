"""What is no kubeconfig and what is no API server is named in one line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import urllib3
import yaml
from kubernetes.client import ApiClient, Configuration

from podproof.errors import ClusterError
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import POD


class WebSite(BaseHTTPRequestHandler):
    """Answers everything with a page."""

    def do_GET(self) -> None:
        page = b"<html>hello</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web_site() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), WebSite) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("content", [b"a: [b", b"\x7fELF\x02\xff\xfe", b"just words", b"- a\n- b\n", b""])
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config"
    file.write_bytes(content)
    with pytest.raises(ClusterError) as failed:
        Api.from_kubeconfig(file, "any")
    assert str(file) in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_server_that_is_no_api_server_is_named(tmp_path: Path, web_site: str) -> None:
    file = tmp_path / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": web_site}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "web", "context": {"cluster": "c", "user": "u"}}],
    }
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(ClusterError, match="is no API server") as failed:
        Api.from_kubeconfig(file, "web")
    assert web_site in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("lost", [True, False])
def test_a_deletion_whose_answer_was_lost_is_done(monkeypatch: pytest.MonkeyPatch, lost: bool) -> None:
    configuration = Configuration()
    configuration.host = "http://127.0.0.1:1"
    api = Api(ApiClient(configuration), "any")
    answers: list[Exception] = [ApiError("DELETE /any", 404, "NotFound", "", {})]
    if lost:
        answers.insert(0, urllib3.exceptions.ProtocolError("lost"))

    def answer(*_: object) -> bytes:
        raise answers.pop(0)

    monkeypatch.setattr(api, "_answer_once", answer)
    if lost:
        assert api.delete(POD, "any", "a") == {}
    else:
        with pytest.raises(ApiError):
            api.delete(POD, "any", "a")
