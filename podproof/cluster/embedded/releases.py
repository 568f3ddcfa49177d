"""Kubernetes' own components as the project releases them: downloaded once, verified, into the cache."""

import functools
import hashlib
import os
import platform
import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TypeVar

import tenacity
import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError

from podproof.errors import ComponentError, UsageError

from . import cached, waits
from .paths import cache_directory
from .progress import Report
from .recipes import KUBERNETES_COMMANDS

OFFICIAL = "https://dl.k8s.io"
"""The project's own site, https://kubernetes.io/releases/download."""

_AT_ONCE = 3
"""Downloads at a time: more do not make a line faster."""

_ATTEMPTS = 4
"""How often a file is asked for before it counts as one that cannot be had."""

_CHUNK = 64 * 1024
_MB = 1_000_000
_CHECKSUM = re.compile(r"[0-9a-f]{64}")

_T = TypeVar("_T")
_Read = Callable[[urllib3.BaseHTTPResponse], _T]
"""Takes what there is to take from an answer."""


class _PassingError(Exception):
    """A failure on the way, which another attempt may not meet; the text says what."""


class _AbsentError(ComponentError):
    """The site has no such file; the text is its address."""


def site() -> str:
    """Where releases are: ``$PODPROOF_RELEASES``, for a mirror, or else the official site.

    Raises:
        UsageError: It is no address.
    """
    address = os.environ.get("PODPROOF_RELEASES") or OFFICIAL
    if not re.match(r"https?://[^/]", address):
        raise UsageError(f"PODPROOF_RELEASES is {address!r}: an address is wanted, such as {OFFICIAL}")
    return address.rstrip("/")


def directory_of(version: str) -> Path:
    """Where the commands of a release are kept once they were downloaded."""
    return cache_directory() / "components" / f"kubernetes-{version}-release-{_architecture()}"


def fetch(version: str, report: Report) -> Path:
    """Return the directory of a release's commands, downloaded now if they are not in the cache.

    Raises:
        ComponentError: They cannot be had, or are not what was published; nothing of them is kept.
    """
    target = directory_of(version)
    try:
        cached.make(
            target,
            lambda directory: _download_all(version, directory, report),
            lambda: report(f"Kubernetes {version}: another podproof is downloading it, waiting for that"),
        )
    except OSError as error:
        raise ComponentError(
            f"Kubernetes {version} cannot be kept in {target.parent} ({error.strerror or error}): "
            "make room there, 1 GiB is enough, or set PODPROOF_CACHE to another directory"
        ) from None
    return target


def newest(minor: str | None, report: Report) -> str:
    """What the site calls the newest release, of a minor release such as ``1.33`` or of all.

    Raises:
        ComponentError: There is none, or the site does not say.
    """
    url = f"{site()}/release/stable{f'-{minor}' if minor else ''}.txt"
    try:
        with _pool(site()) as pool:
            return _Asker(pool, report).ask(url, _text)
    except _AbsentError:
        raise ComponentError(f"Kubernetes {minor or 'latest'} cannot be had: there is no {url}") from None


@functools.cache
def why_out_of_reach(address: str) -> str:
    """Why the site at that address does not answer; empty if it does. Takes two seconds at most, once."""
    told: list[str] = []

    def ask() -> None:
        try:
            with _pool(address) as pool:
                status = pool.request("GET", f"{address}/release/stable.txt").status
            told.append("" if status == 200 else f"it answers {status}")
        except HTTPError as error:
            told.append(_brief(error))

    # Looking up a name knows no time limit, so a thread does it, and is left alone if it takes too long.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(waits.RELEASES_SECONDS)
    return told[0] if told else f"no answer within {waits.RELEASES_SECONDS:.0f} s"


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _pool(address: str) -> urllib3.PoolManager:
    """Connections to the site, through the proxy that the environment names, if any."""
    parts = urllib.parse.urlsplit(address)
    # Redirections are followed; what fails is tried again, and said, in `_Asker`.
    retries = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5)
    timeout = urllib3.Timeout(connect=waits.DOWNLOAD_CONNECT_SECONDS, read=waits.DOWNLOAD_SILENCE_SECONDS)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, retries=retries, timeout=timeout, maxsize=_AT_ONCE)
    return urllib3.PoolManager(retries=retries, timeout=timeout, maxsize=_AT_ONCE)


class _Asker:
    """Asks the site for files, again where that may help.

    Attributes:
        stop: Set to have everything end that is under way.
    """

    def __init__(self, pool: urllib3.PoolManager, report: Report) -> None:
        self._pool = pool
        self._report = report
        self.stop = threading.Event()

    def ask(self, url: str, read: _Read[_T]) -> _T:
        """Return what `read` takes from the answer.

        Raises:
            ComponentError: There is no such file, or the transport failed too often.
        """
        asking = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, _PassingError) and not self.stop.is_set()
            ),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_exponential(multiplier=0.5, max=5) + tenacity.wait_random(0, 0.5),
            sleep=tenacity.sleep_using_event(self.stop),
            before_sleep=lambda call: self._report(f"{url}: {_outcome(call)}: trying again"),
            reraise=True,
        )
        try:
            taken: _T = asking(self._once, url, read)
        except _PassingError as error:
            raise ComponentError(
                f"{url} cannot be had ({error}, {_ATTEMPTS} times): try again later, name a mirror by "
                "PODPROOF_RELEASES, or build it: --components build"
            ) from None
        return taken

    def _once(self, url: str, read: _Read[_T]) -> _T:
        try:
            response = self._pool.request("GET", url, preload_content=False)
            try:
                if response.status == 404:
                    raise _AbsentError(url)
                if response.status == 429 or response.status >= 500:
                    raise _PassingError(f"it answers {response.status}")
                if response.status != 200:
                    raise ComponentError(f"{url} cannot be had: it answers {response.status}")
                return read(response)
            finally:
                response.close()
        except HTTPError as error:
            raise _PassingError(_brief(error)) from error


def _outcome(call: tenacity.RetryCallState) -> str:
    return str(call.outcome.exception()) if call.outcome else ""


def _text(response: urllib3.BaseHTTPResponse) -> str:
    return response.read(_CHUNK).decode(errors="replace").strip()


def _download_all(version: str, directory: Path, report: Report) -> None:
    report(f"downloading Kubernetes {version} from {site()}: once, then cached")
    with _pool(site()) as pool, ThreadPoolExecutor(_AT_ONCE) as workers:
        asker = _Asker(pool, report)
        base = f"{site()}/v{version}/bin/linux/{_architecture()}"
        pending = [
            workers.submit(_download, asker, f"{base}/{name}", directory / name, report)
            for name in KUBERNETES_COMMANDS
        ]
        try:
            for each in as_completed(pending):
                each.result()
        except BaseException as error:
            asker.stop.set()
            workers.shutdown(cancel_futures=True)
            if isinstance(error, _AbsentError):
                raise _not_released(version, str(error), report) from None
            raise


def _not_released(version: str, url: str, report: Report) -> ComponentError:
    minor = version.rpartition(".")[0]
    try:
        others = f"the newest {minor} is {newest(minor, report)}"
    except ComponentError:
        others = f"nor does it name a newest {minor}"
    return ComponentError(f"Kubernetes {version} cannot be had: there is no {url}; {others}")


def _download(asker: _Asker, url: str, file: Path, report: Report) -> None:
    published = asker.ask(f"{url}.sha256", _text).partition(" ")[0].lower()
    if not _CHECKSUM.fullmatch(published):
        raise ComponentError(
            f"{url}.sha256 is no checksum, it begins with {published[:20]!r}: does {site()} have releases?"
        )
    found = asker.ask(url, lambda response: _keep(response, file, asker.stop, report))
    if found != published:
        raise ComponentError(
            f"{url} is not what was published: its sha256 is {found[:12]}..., not {published[:12]}...: "
            "try again, take another PODPROOF_RELEASES, or build it: --components build"
        )
    file.chmod(0o755)
    report(f"{file.name}: {file.stat().st_size / _MB:.0f} MB, as published")


def _keep(response: urllib3.BaseHTTPResponse, file: Path, stop: threading.Event, report: Report) -> str:
    """Write what comes into the file; returns its checksum."""
    length = int(response.headers.get("Content-Length", 0))
    size = f"{length / _MB:.0f} MB" if length else "an unknown size"
    digest, done, said = hashlib.sha256(), 0, time.monotonic()
    with file.open("wb") as kept:
        try:
            for chunk in response.stream(_CHUNK):
                if stop.is_set():
                    raise _PassingError("stopped")
                kept.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if time.monotonic() - said > waits.DOWNLOAD_REPORT_SECONDS:
                    said = time.monotonic()
                    report(f"{file.name}: {done / _MB:.0f} of {size}")
        except HTTPError as error:
            raise _PassingError(f"cut off before {size} had come") from error
    return digest.hexdigest()


def _brief(error: HTTPError) -> str:
    if isinstance(error, MaxRetryError) and error.reason:
        return str(error.reason).rpartition(": ")[2]
    return str(error).rpartition(": ")[2]
