"""Images are put together here or pulled from a registry; here, from a registry on this machine."""

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from podproof.cluster.embedded import catalogue, images, origin, store
from podproof.cluster.embedded.gobuild import Components
from podproof.cluster.embedded.oci import Layer, write_archive
from podproof.cluster.embedded.progress import silent
from podproof.errors import ComponentError, UsageError

PAUSE = catalogue.CATALOGUE[0]
ANOTHER = catalogue.Image(("registry.k8s.io/nobody/has-this:1",), ("/bin/true",))


@pytest.fixture(scope="module")
def components() -> Components:
    """What `make setup` built, or downloaded."""
    own = origin.choose(None, None, silent)
    return Components(own.version, silent, origin=own.place)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, components: Components) -> Path:
    """An empty cache; the components stay where they are."""
    assert components.command("ctr").exists()
    monkeypatch.setenv("PODPROOF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, components: Components
) -> Iterator[ThreadingHTTPServer]:
    """A registry with one image, in place of all others."""
    monkeypatch.setattr(images, "CATALOGUE", (PAUSE,))
    [archive] = images.write_archives(components, tmp_path, silent)
    with tarfile.open(archive) as opened:
        files = {member.name: _read(opened, member) for member in opened if member.isreg()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    hosts = tmp_path / "hosts" / "_default"
    hosts.mkdir(parents=True)
    (hosts / "hosts.toml").write_text(
        f'server = "{address}"\n[host."{address}"]\ncapabilities = ["pull", "resolve"]\n'
    )
    monkeypatch.setenv("PODPROOF_IMAGES", "pull")
    monkeypatch.setenv("PODPROOF_REGISTRY_HOSTS", str(hosts.parent))
    yield server
    server.shutdown()
    server.server_close()


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    return content.read() if content else b""


def _handler(files: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    """Serve an OCI layout by the distribution specification's pull endpoints."""
    index = json.loads(files["index.json"])
    tags = {
        each["annotations"]["io.containerd.image.name"].partition("/")[2]: each["digest"]
        for each in index["manifests"]
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0].removeprefix("/v2/")
            digest = ""
            if "/manifests/" in path:
                name, _, reference = path.partition("/manifests/")
                digest = reference if ":" in reference else tags.get(f"{name}:{reference}", "")
                kind = "application/vnd.oci.image.manifest.v1+json"
            else:
                digest, kind = path.rpartition("/blobs/")[2], "application/octet-stream"
            content = files.get(f"blobs/sha256/{digest.removeprefix('sha256:')}")
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content or b"")))
            self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if body and content:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@pytest.mark.usefixtures("cache")
def test_images_are_pulled_once(components: Components, registry: ThreadingHTTPServer) -> None:
    said: list[str] = []
    made = store.template(components, said.append)
    assert said == [f"pulling {PAUSE.names[0]}"]
    assert list(made.rglob("catatonit")), "unpacked, not only downloaded"
    registry.shutdown()
    assert store.template(components, said.append) == made, "the second time from the cache"


@pytest.mark.usefixtures("registry")
def test_an_image_that_cannot_be_pulled(
    components: Components, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "CATALOGUE", (PAUSE, ANOTHER))
    with pytest.raises(ComponentError) as raised:
        store.template(components, silent)
    text = str(raised.value)
    assert text.startswith("image registry.k8s.io/nobody/has-this:1 cannot be pulled: ")
    assert "not found" in text
    assert "\n" not in text
    assert not (cache / "stores" / images.key(components, images.PULL)).exists()


@pytest.mark.usefixtures("cache")
def test_images_are_put_together_where_no_registry_answers(
    components: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "CATALOGUE", (PAUSE,))
    monkeypatch.setattr(images, "E2E", "127.0.0.1/where-nothing-listens")
    monkeypatch.setenv("PODPROOF_IMAGES", "auto")
    said: list[str] = []
    made = store.template(components, said.append)
    assert "127.0.0.1 is out of reach" in said[0]
    assert list(made.rglob("catatonit"))


def test_a_source_of_images_that_there_is_none_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODPROOF_IMAGES", "borrow")
    with pytest.raises(UsageError, match="PODPROOF_IMAGES is 'borrow': it may be build, pull or auto"):
        images.sources()


def test_an_archive_is_an_oci_layout(tmp_path: Path) -> None:
    layer = Layer()
    layer.file("etc/motd", b"hello", 0o644)
    layer.link("bin", "usr/bin")
    path = tmp_path / "image.tar"
    write_archive(path, ["example.test/one:1", "example.test/two:2"], [layer.finish()], ["/bin/sh"])
    with tarfile.open(path) as archive:
        files = {member.name: _read(archive, member) for member in archive}
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    for name, content in files.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.rpartition("/")[2]
    index = json.loads(files["index.json"])
    named = [each["annotations"]["io.containerd.image.name"] for each in index["manifests"]]
    assert named == ["example.test/one:1", "example.test/two:2"]
    manifest = json.loads(files["blobs/" + index["manifests"][0]["digest"].replace(":", "/")])
    unpacked = files["blobs/" + manifest["layers"][0]["digest"].replace(":", "/")]
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as opened:
        assert [member.name for member in opened] == ["etc", "etc/motd", "bin"]
        assert opened.getmember("bin").linkname == "usr/bin"


def test_the_same_layer_gives_the_same_bytes() -> None:
    def make() -> bytes:
        layer = Layer()
        layer.file("a/b", b"c")
        return layer.finish()

    assert make() == make()
