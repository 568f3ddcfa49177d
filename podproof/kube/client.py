"""Requests to one API server, answers as plain JSON.

The official client reads the kubeconfig, authenticates and transports. Its models are left out: they cost
memory and time and hide fields that are newer than the client.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import tenacity
import urllib3
import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_kube_config

from podproof.errors import ClusterError, PodproofError
from podproof.kube import deadlines
from podproof.kube.kinds import Kind, Object

Query = Mapping[str, str | int | bool]

_IDEMPOTENT = frozenset({"DELETE", "GET", "PATCH", "PUT"})
_CONNECTIONS = 16  # seven watches, and what the steps ask beside them


class ApiError(PodproofError):
    """The API server answered, and its answer is an error.

    Attributes:
        status: The HTTP status, for example 404.
        reason: Kubernetes' word for it, for example ``"NotFound"``; ``""`` if it gave none.
        message: The server's sentence.
        details: The `details` of the server's Status object, or an empty dict.
    """

    exit_status = ClusterError.exit_status

    def __init__(self, request: str, status: int, reason: str, message: str, details: Object) -> None:
        """Keep the server's words.

        Args:
            request: Method and path, for the text.
            status: See the class.
            reason: See the class.
            message: See the class.
            details: See the class.
        """
        super().__init__(f"{request}: {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details


class Api:
    """One API server, as one user.

    Safe to use from several threads.

    Attributes:
        context: The kubeconfig's context in use.
        server: The API server's address.
        client: The official client's transport, for what is not plain HTTP (`execute`).
        retries: How often a request was sent again because the transport failed; reports show it.
        warnings: The warnings that the server sent with its answers, each once, in order.
    """

    def __init__(self, client: ApiClient, context: str) -> None:
        """Wrap a configured client; users call `from_kubeconfig`."""
        self.client = client
        self.context = context
        self.server: str = client.configuration.host
        self.retries = 0
        self.warnings: list[str] = []
        self._kinds: dict[str, dict[str, Kind]] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_kubeconfig(cls, path: Path, context: str) -> Api:
        """Reach the server of a context, which is always named: the current one is never assumed.

        Raises:
            ClusterError: No such file, no such context, or nothing answers there.
        """
        if not path.is_file():
            raise ClusterError(
                f"there is no kubeconfig at {path}: name one with --kubeconfig, "
                "or start a cluster with `podproof up`"
            )
        configuration = Configuration()
        try:
            load_kube_config(  # type: ignore[no-untyped-call]  # the client ships none for it
                config_file=str(path),
                context=context,
                client_configuration=configuration,
                persist_config=False,
            )
        except ConfigException as error:
            raise ClusterError(
                f"{path} has no usable context {context!r} ({error}): "
                f"`kubectl --kubeconfig {path} config get-contexts` lists what it has"
            ) from error
        except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ClusterError(
                f"{path} is no kubeconfig ({' '.join(str(error).split())}): name another with --kubeconfig"
            ) from error
        configuration.retries = False  # repeated, and counted, here
        configuration.connection_pool_maxsize = _CONNECTIONS
        api = cls(ApiClient(configuration), context)
        api.client.user_agent = "podproof"
        api.version()
        return api

    def close(self) -> None:
        """Let go of all connections."""
        self.client.close()  # type: ignore[no-untyped-call]  # the client ships none for it

    def version(self) -> str:
        """The server's version, for example ``"v1.37.1"``."""
        return str(self.request("GET", "/version")["gitVersion"])

    # Requests on paths.

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Object | list[Any] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Send one request and decode the answer's JSON.

        Raises:
            ApiError: The server said no.
            ClusterError: The server could not be reached within `deadlines.API_RETRY`, or is no API server.
        """
        answer = self._answer(method, path, query, body, content_type)
        try:
            return cast(Object, json.loads(answer))
        except ValueError as error:
            raise ClusterError(
                f"what answers {method} {path} at {self.server} is no API server: "
                f"its answer begins with {answer[:40]!r}"
            ) from error

    def text(self, path: str, *, query: Query | None = None) -> str:
        """What the server has at a path that is not JSON, for example a container's log."""
        return self._answer("GET", path, query, None, "application/json").decode("utf-8", "replace")

    def text_once(self, path: str, seconds: float) -> str:
        """The same, tried once and given up after so many seconds, for what may well not be there.

        Raises:
            ApiError: The server said no.
            urllib3.exceptions.HTTPError: There was no answer in time.
        """
        response = self._send("GET", path, None, None, "application/json", seconds)
        try:
            return response.read().decode("utf-8", "replace")
        finally:
            response.release_conn()

    def open(self, path: str, *, query: Query | None = None) -> urllib3.HTTPResponse:
        """Start to read an endless answer; the caller closes it. Tried once: a watch resumes by itself.

        Raises:
            ApiError: The server said no.
            urllib3.exceptions.HTTPError: The transport failed.
        """
        silence = deadlines.WATCH_SILENCE.seconds
        return self._send("GET", path, query, None, "application/json", silence)

    # Requests on kinds.

    def kind(self, api_version: str, name: str) -> Kind:
        """Where the server serves a kind, asked once for each group and version.

        Raises:
            ClusterError: The server does not serve it.
        """
        with self._lock:
            known = self._kinds.get(api_version)
        if known is None:
            root = "/api/" if "/" not in api_version else "/apis/"
            try:
                found = self.request("GET", root + api_version)["resources"]
            except ApiError as error:
                if error.status != 404:
                    raise
                found = []
            known = {
                each["kind"]: Kind(each["kind"], api_version, each["name"], each["namespaced"])
                for each in found
                if "/" not in each["name"]
            }
            with self._lock:
                self._kinds[api_version] = known
        if name not in known:
            raise ClusterError(f"the API server at {self.server} serves no {name} in {api_version}")
        return known[name]

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object:
        """One object as it is now."""
        return self.request("GET", kind.path(namespace, name))

    def find(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """One object as it is now, or None if there is none of that name."""
        try:
            return self.get(kind, namespace, name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: Kind, namespace: str | None, selector: str = "") -> Object:
        """All objects of a kind as they are now, as a list object with `items` and `metadata`."""
        query = {"labelSelector": selector} if selector else {}
        return self.request("GET", kind.path(namespace), query=query)

    def create(self, kind: Kind, namespace: str | None, body: Object) -> Object:
        """Create an object; returns it as stored."""
        return self.request("POST", kind.path(namespace), body=body)

    def apply(self, kind: Kind, namespace: str | None, body: Object, manager: str = "podproof") -> Object:
        """Server-side apply: make these fields so, whoever set them before; returns the object as stored."""
        return self.request(
            "PATCH",
            kind.path(namespace, body["metadata"]["name"]),
            query={"fieldManager": manager, "force": True},
            body=body,
            content_type="application/apply-patch+yaml",
        )

    def merge(
        self, kind: Kind, namespace: str | None, name: str, patch: Object, part: str | None = None
    ) -> Object:
        """Change some fields (JSON merge patch, None removes one); `part` may be ``"scale"``."""
        return self.request(
            "PATCH",
            kind.path(namespace, name, part),
            body=patch,
            content_type="application/merge-patch+json",
        )

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> Object:
        """Ask for an object's deletion, only if it is still the one of that uid when one is given.

        Args:
            kind: The object's kind.
            namespace: Where it is.
            name: Its name.
            uid: Its identity.
            propagation: ``"Background"`` (the default), ``"Foreground"`` or ``"Orphan"``.
        """
        options: Object = {}
        if uid:
            options["preconditions"] = {"uid": uid}
        if propagation:
            options["propagationPolicy"] = propagation
        return self.request("DELETE", kind.path(namespace, name), body=options)

    # Transport.

    def _answer(self, method: str, path: str, query: Query | None, body: Any, content_type: str) -> bytes:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: _is_transport(error, method)),
            stop=tenacity.stop_after_delay(deadlines.API_RETRY.seconds),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
            before_sleep=self._count_retry,
            reraise=True,
        )
        try:
            return retrying(self._answer_once, method, path, query, body, content_type)
        except ApiError as error:
            if method == "DELETE" and error.status == 404 and retrying.statistics["attempt_number"] > 1:
                return b"{}"  # a request whose answer was lost has done it
            raise
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(
                f"cannot reach the API server of context {self.context!r} at {self.server} "
                f"({_brief(error)}): is the cluster up? `podproof status` knows of podproof's own"
            ) from error

    def _answer_once(
        self, method: str, path: str, query: Query | None, body: Any, content_type: str
    ) -> bytes:
        response = self._send(method, path, query, body, content_type, deadlines.API_REQUEST.seconds)
        try:
            return response.read()
        finally:
            response.release_conn()

    def _send(
        self, method: str, path: str, query: Query | None, body: Any, content_type: str, read_timeout: float
    ) -> urllib3.HTTPResponse:
        parameters = [(key, _query_text(value)) for key, value in (query or {}).items()]
        headers: dict[str, str] = {"Accept": "application/json, */*"}
        if body is not None:
            headers["Content-Type"] = content_type
        request = self.client.param_serialize(
            method, path, query_params=parameters, header_params=headers, auth_settings=["BearerToken"]
        )
        url, sent_headers = request[1], request[2]
        timeout = (deadlines.API_CONNECT.seconds, read_timeout)
        try:
            answer = self.client.call_api(method, url, sent_headers, body, _request_timeout=timeout)
        except ApiException as error:  # the client's word for a TLS handshake that failed
            raise ClusterError(
                f"the server at {self.server} is not the one that context {self.context!r} trusts "
                f"({str(error.reason).splitlines()[-1]}): is the kubeconfig that of another cluster?"
            ) from error
        response = cast(urllib3.HTTPResponse, answer.response)
        self._note_warnings(response)
        if response.status >= 400:
            raise _api_error(f"{method} {path}", response)
        return response

    def _note_warnings(self, response: urllib3.HTTPResponse) -> None:
        for header in response.headers.getlist("Warning"):
            # RFC 7234: code, agent, then the text in quotes.
            text = header.partition('"')[2].rpartition('"')[0].replace('\\"', '"') or header
            with self._lock:
                if text not in self.warnings:
                    self.warnings.append(text)

    def _count_retry(self, _: tenacity.RetryCallState) -> None:
        with self._lock:
            self.retries += 1


def lines(response: urllib3.HTTPResponse) -> Iterator[bytes]:
    """The lines of an endless answer, each as soon as it is whole."""
    rest = b""
    for chunk in response.stream(65536):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def _query_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _api_error(request: str, response: urllib3.HTTPResponse) -> ApiError:
    raw = response.read()
    response.release_conn()
    try:
        status = json.loads(raw)
        reason, message = str(status.get("reason", "")), str(status.get("message", ""))
        details = status.get("details") or {}
    except ValueError:
        reason, message, details = "", raw.decode("utf-8", "replace").strip(), {}
    return ApiError(request, response.status, reason, message, details)


def _is_transport(error: BaseException, method: str) -> bool:
    """Whether a request failed on its way, so that sending it again is safe and may help."""
    if isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return True  # never arrived
    if isinstance(error, urllib3.exceptions.HTTPError):
        return method in _IDEMPOTENT
    if isinstance(error, ApiError):
        # A disruption budget answers an eviction with 429 too: that is the answer, not congestion.
        causes = error.details.get("causes") or ()
        if any(cause.get("reason") == "DisruptionBudget" for cause in causes):
            return False
        return error.status in {429, 503} or (error.status >= 500 and method == "GET")
    return False


def _brief(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).rpartition(": ")[2] or type(error).__name__
