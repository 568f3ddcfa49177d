"""Releases are downloaded once, verified, all or nothing; and what is chosen where nothing is said."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from podproof.cluster.embedded import gobuild, origin, releases, versions, waits
from podproof.cluster.embedded.origin import AUTO, Origin
from podproof.cluster.embedded.progress import silent
from podproof.cluster.embedded.recipes import KUBERNETES_COMMANDS, kubernetes
from podproof.errors import ComponentError, UsageError

VERSION = "1.36.1"
BINARIES = f"/v{VERSION}/bin/linux/{releases._architecture()}"
PATIENCE = 30.0
"""Seconds for a process of ours to get to where the test wants it; it takes one."""

FETCH = (
    "import sys\n"
    "from podproof.cluster.embedded import releases\n"
    "from podproof.cluster.embedded.progress import Progress\n"
    "from podproof.errors import PodproofError\n"
    "try: releases.fetch(sys.argv[1], Progress())\n"
    "except PodproofError as error: sys.exit(f'podproof: {error}')\n"
)


class Site:
    """A site with one release of small commands, which misbehaves as it is told.

    Attributes:
        files: What it has, by path.
        cut: Paths whose answer ends early.
        busy: How many times more a path answers 503.
        held: Paths whose answer stops half-way until `go_on` is set.
        asked: How often each path was asked for.
    """

    def __init__(self) -> None:
        self.files = {f"{BINARIES}/{name}": _command(name) for name in KUBERNETES_COMMANDS}
        for path, content in list(self.files.items()):
            self.files[f"{path}.sha256"] = hashlib.sha256(content).hexdigest().encode()
        self.files["/release/stable.txt"] = b"v1.38.0"
        self.files["/release/stable-1.36.txt"] = f"v{VERSION}\n".encode()
        self.cut: set[str] = set()
        self.busy: Counter[str] = Counter()
        self.held: set[str] = set()
        self.half_way, self.go_on = threading.Event(), threading.Event()
        self.asked: Counter[str] = Counter()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        self.asked[path] += 1
        if self.busy[path] > 0:
            self.busy[path] -= 1
            handler.send_error(503)
            return
        if path not in self.files:
            handler.send_error(404)
            return
        content = self.files[path]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        half = len(content) // 2
        handler.wfile.write(content[:half])
        if path in self.held:
            self.half_way.set()
            self.go_on.wait(PATIENCE)
        if path not in self.cut:
            handler.wfile.write(content[half:])


def _command(name: str) -> bytes:
    return f"#!/bin/sh\necho 'Kubernetes v{VERSION}'\n# {name}\n".encode() + b"#" * 100_000


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and nothing said about where components come from."""
    monkeypatch.setenv("PODPROOF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PODPROOF_COMPONENTS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def site(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of releases, which podproof is told to ask."""
    del cache
    made = Site()
    monkeypatch.setenv("PODPROOF_RELEASES", f"{made.address}/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.go_on.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def quiet_site(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that takes connections and never answers."""
    del cache
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("PODPROOF_RELEASES", f"http://127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture
def no_site(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nothing listens."""
    del cache
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("PODPROOF_RELEASES", f"http://127.0.0.1:{listening.getsockname()[1]}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def kept(cache: Path) -> list[str]:
    """What the cache has of components, half-made or whole."""
    components = cache / "components"
    return sorted(path.name for path in components.iterdir()) if components.exists() else []


def refusal(version: str = VERSION) -> str:
    with pytest.raises(ComponentError) as raised:
        releases.fetch(version, silent)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def fetcher(*before: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*before, sys.executable, "-c", FETCH, VERSION],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_release_is_downloaded_once_and_verified(site: Site, cache: Path) -> None:
    said: list[str] = []
    directory = releases.fetch(VERSION, said.append)
    assert sorted(path.name for path in directory.iterdir()) == sorted(KUBERNETES_COMMANDS)
    assert all(os.access(directory / name, os.X_OK) for name in KUBERNETES_COMMANDS)
    assert kept(cache) == [f"kubernetes-{VERSION}-release-{releases._architecture()}"]
    assert said[0] == f"downloading Kubernetes {VERSION} from {site.address}: once, then cached"
    assert "kubelet: 0 MB, as published" in said
    assert releases.fetch(VERSION, silent) == directory
    assert site.asked[f"{BINARIES}/kubelet"] == 1


def test_how_far_a_long_download_is_gets_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "DOWNLOAD_REPORT_SECONDS", 0.0)
    site.files[f"{BINARIES}/kubelet"] = content = b"x" * 3_000_000
    site.files[f"{BINARIES}/kubelet.sha256"] = hashlib.sha256(content).hexdigest().encode() + b"  kubelet\n"
    said: list[str] = []
    releases.fetch(VERSION, said.append)
    assert "kubelet: 1 of 3 MB" in said


def test_what_is_not_as_published_is_refused(site: Site, cache: Path) -> None:
    site.files[f"{BINARIES}/kubelet"] += b"!"
    assert refusal().startswith(f"{site.address}{BINARIES}/kubelet is not what was published: its sha256 is ")
    assert kept(cache) == []


def test_a_page_in_place_of_a_checksum_is_refused(site: Site, cache: Path) -> None:
    site.files[f"{BINARIES}/kubelet.sha256"] = b"<html>log in first</html>"
    assert "kubelet.sha256 is no checksum, it begins with '<html>log" in refusal()
    assert kept(cache) == []


def test_a_download_that_is_cut_off_is_tried_again_and_then_refused(site: Site, cache: Path) -> None:
    site.cut.add(f"{BINARIES}/kubelet")
    text = refusal()
    assert "/kubelet cannot be had (cut off before 0 MB had come, 4 times): try again later" in text
    assert text.endswith("or build it: --components build")
    assert site.asked[f"{BINARIES}/kubelet"] == 4
    assert kept(cache) == []


def test_a_version_that_was_not_released_names_the_newest(site: Site, cache: Path) -> None:
    text = refusal("1.36.99")
    assert re.match(r"Kubernetes 1\.36\.99 cannot be had: there is no http://\S+\.sha256; ", text)
    assert text.endswith(f"the newest 1.36 is v{VERSION}")
    assert refusal("1.35.99").endswith("nor does it name a newest 1.35")
    assert kept(cache) == []
    del site


@pytest.mark.usefixtures("cache")
def test_a_busy_site_is_asked_again(site: Site) -> None:
    site.busy[f"{BINARIES}/kubelet"] = 2
    said: list[str] = []
    releases.fetch(VERSION, said.append)
    again = f"{site.address}{BINARIES}/kubelet: it answers 503: trying again"
    assert said.count(again) == 2


@pytest.mark.usefixtures("no_site")
def test_a_site_out_of_reach(cache: Path) -> None:
    assert (
        "cannot be had ([Errno 111] Connection refused, 4 times): try again later, name a mirror" in refusal()
    )
    assert kept(cache) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own takes root")
def test_a_full_disk(site: Site, cache: Path) -> None:
    del site
    cache.mkdir()
    small = (
        'mount -t tmpfs -o size=300k none "$PODPROOF_CACHE"; "$@"; status=$?; '
        'ls -A "$PODPROOF_CACHE/components" >&2; exit $status'
    )
    process = fetcher("unshare", "--mount", "sh", "-c", small, "sh")
    said = process.communicate(timeout=PATIENCE)[1].splitlines()
    assert process.returncode == 1
    assert said[-1] == (
        f"podproof: Kubernetes {VERSION} cannot be kept in {cache}/components (No space left on device): "
        "make room there, 1 GiB is enough, or set PODPROOF_CACHE to another directory"
    ), "and the directory is empty"


def test_two_at_once_download_once(site: Site, cache: Path) -> None:
    site.held.add(f"{BINARIES}/kubelet")
    first = fetcher()
    assert site.half_way.wait(PATIENCE)
    second = fetcher()
    assert second.stderr is not None
    waiting = second.stderr.readline()
    assert waiting.endswith(f"Kubernetes {VERSION}: another podproof is downloading it, waiting for that\n")
    site.go_on.set()
    said = [process.communicate(timeout=PATIENCE)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert site.asked[f"{BINARIES}/kubelet"] == 1
    assert kept(cache) == [releases.directory_of(VERSION).name]


def test_one_that_is_killed_leaves_nothing_that_counts(site: Site, cache: Path) -> None:
    site.held.add(f"{BINARIES}/kubelet")
    process = fetcher()
    assert site.half_way.wait(PATIENCE)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    site.go_on.set()
    assert not releases.directory_of(VERSION).exists()
    assert kept(cache), "what it was making"
    releases.fetch(VERSION, silent)
    assert kept(cache) == [releases.directory_of(VERSION).name]


def test_the_site_says_which_release_is_the_newest(site: Site) -> None:
    assert versions.resolve("1.36", released=True) == VERSION
    assert versions.resolve("latest", released=True) == "1.38.0"
    with pytest.raises(ComponentError, match=r"Kubernetes 1\.99 cannot be had: there is no http.*1\.99\.txt"):
        versions.resolve("1.99", released=True)
    site.files["/release/stable.txt"] = b"<html>"
    with pytest.raises(ComponentError, match="does not tell the newest version, but '<html>'"):
        versions.resolve("latest", released=True)


# --- what is chosen -------------------------------------------------------------------------------


def test_a_release_is_chosen_where_the_site_answers(site: Site) -> None:
    said: list[str] = []
    assert origin.choose(VERSION, None, said.append) == Origin(VERSION, "release")
    assert said == [f"Kubernetes {VERSION}: the release of {site.address}"]
    assert origin.choose("1.36", AUTO, silent) == Origin(VERSION, "release")
    assert site.asked["/release/stable.txt"] == 1, "it is asked once whether it is there"


@pytest.mark.usefixtures("quiet_site")
def test_a_build_is_chosen_soon_where_the_site_does_not_answer() -> None:
    said: list[str] = []
    began = time.monotonic()
    assert origin.choose(VERSION, None, said.append) == Origin(VERSION, "build")
    assert time.monotonic() - began < 5, "two seconds, and room for a busy machine"
    assert said[0].endswith("is out of reach (no answer within 2 s)")
    began = time.monotonic()
    origin.choose(VERSION, None, silent)
    assert time.monotonic() - began < 1, "nobody is asked twice"


def test_what_is_cached_is_taken_without_asking_a_release_before_a_build(site: Site) -> None:
    said: list[str] = []
    gobuild.directory_of(kubernetes(VERSION)).mkdir(parents=True)
    assert origin.choose(VERSION, None, said.append) == Origin(VERSION, "build")
    releases.directory_of(VERSION).mkdir(parents=True)
    assert origin.choose(VERSION, None, said.append) == Origin(VERSION, "release")
    assert said == [
        f"Kubernetes {VERSION}: the {which} that is in the cache" for which in ("build", "release")
    ]
    assert not site.asked


def test_the_variable_is_the_default_of_the_option(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODPROOF_COMPONENTS", "build")
    assert origin.choose(VERSION, None, silent).place == "build"
    assert origin.choose(VERSION, "release", silent).place == "release"
    assert not site.asked
    monkeypatch.setenv("PODPROOF_COMPONENTS", "borrow")
    with pytest.raises(
        UsageError, match="PODPROOF_COMPONENTS is 'borrow': it may be build, release, auto or"
    ):
        origin.wanted(None)
    with pytest.raises(UsageError, match="--components is '/nowhere'"):
        origin.wanted("/nowhere")


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODPROOF_RELEASES", "dl.k8s.io")
    with pytest.raises(UsageError, match=r"PODPROOF_RELEASES is 'dl.k8s.io': an address is wanted, such as"):
        releases.site()


# --- a directory ----------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Somebody's own build."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in KUBERNETES_COMMANDS:
        (directory / name).write_bytes(_command(name))
        (directory / name).chmod(0o755)
    return directory


@pytest.mark.usefixtures("cache")
def test_a_directory_is_used_as_it_is(own: Path, tmp_path: Path) -> None:
    link = tmp_path / "output"
    link.symlink_to(own)
    chosen = origin.choose(None, str(link), silent)
    assert chosen == Origin(VERSION, str(own), origin.fingerprint(str(own)))
    assert origin.choose("1.36", str(own), silent) == chosen
    (own / "kubelet").write_bytes(_command("newer kubelet"))
    assert origin.fingerprint(str(own)) != chosen.fingerprint


def test_a_directory_of_another_version(own: Path) -> None:
    for asked in ("1.36.10", "1.3", "1.37", "latest"):
        with pytest.raises(
            UsageError, match=rf"bin has Kubernetes {re.escape(VERSION)}, not {asked}: leave out"
        ):
            origin.choose(asked, str(own), silent)


@pytest.mark.parametrize(
    ("version", "asked", "fitting"),
    [
        ("1.38.0-alpha.1.7+6a1b2c3d4e5f6a", "1.38", True),
        ("1.38.0-alpha.1.7+6a1b2c3d4e5f6a", "v1.38.0", True),
        ("1.38.0-alpha.1.7+6a1b2c3d4e5f6a", None, True),
        ("1.38.0-alpha.1.7+6a1b2c3d4e5f6a", "1.37", False),
    ],
)
def test_versions_of_own_builds(version: str, asked: str | None, fitting: bool) -> None:
    assert origin.fits(version, asked) is fitting


def test_a_directory_that_lacks_something(own: Path) -> None:
    (own / "kubectl").unlink()
    (own / "kube-proxy").rename(own.parent / "kube-proxy")
    (own / "kube-proxy").symlink_to(own.parent / "kube-proxy")
    with pytest.raises(
        ComponentError, match=f"{own} has no kube-proxy, kubectl of its own: --components takes"
    ):
        origin.choose(None, str(own), silent)


def test_a_directory_of_something_else(own: Path) -> None:
    (own / "kubelet").write_text("#!/bin/sh\necho no\n")
    with pytest.raises(ComponentError, match="kubelet --version does not tell a version of Kubernetes: no"):
        origin.choose(None, str(own), silent)
    (own / "kubelet").write_bytes(b"\x7fELF of another machine")
    with pytest.raises(ComponentError, match="kubelet does not run here: Exec format error"):
        origin.choose(None, str(own), silent)
