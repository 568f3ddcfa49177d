"""What is no kubeconfig and what is no API server is named in one line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from podproof.errors import ClusterError
from podproof.kube.client import Api


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
