"""Acting as somebody else: the users of a cluster whose rights a claim is about."""

from __future__ import annotations

import copy

import tenacity
from kubernetes.client import ApiClient, Configuration

from podproof.errors import TrialError
from podproof.kube import deadlines
from podproof.kube.client import Api
from podproof.kube.kinds import SERVICE_ACCOUNT

_SECONDS = 600  # the shortest that the API server grants


def service_account_token(api: Api, namespace: str, account: str, seconds: int) -> str:
    """A token that the server issues for a ServiceAccount.

    Args:
        api: The server, as a user who may ask for tokens.
        namespace: The ServiceAccount's.
        account: Its name.
        seconds: How long the token is to be good for; the server grants no less than ten minutes.

    Raises:
        ApiError: The server gives no token.
    """
    answer = api.request(
        "POST",
        SERVICE_ACCOUNT.path(namespace, account, "token"),
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        },
    )
    return str(answer["status"]["token"])


def as_service_account(api: Api, namespace: str, account: str) -> Api:
    """The same API server as a ServiceAccount, by a token that the server issues; the caller closes it.

    Args:
        api: The server, as a user who may ask for tokens.
        namespace: The ServiceAccount's.
        account: Its name.

    Raises:
        ApiError: The server gives no token.
    """
    token = service_account_token(api, namespace, account, _SECONDS)
    configuration: Configuration = copy.deepcopy(api.client.configuration)
    # The token alone says who asks: no certificate, password or plug-in of the kubeconfig's user.
    configuration.cert_file = configuration.key_file = None
    configuration.username = configuration.password = None
    configuration.refresh_api_key_hook = None
    configuration.api_key = {"authorization": f"Bearer {token}"}
    configuration.api_key_prefix = {}
    acting = Api(ApiClient(configuration), api.context)
    acting.client.user_agent = "podproof"
    return acting


def await_role(api: Api, verb: str, resource: str, namespace: str | None = None) -> None:
    """Wait until a user's role has taken effect, which shows in a right that comes with it.

    No watch tells when the API server has learnt of a role, so it is asked, at growing intervals.

    Args:
        api: The server as that user.
        verb: For example ``"list"``.
        resource: For example ``"pods"``.
        namespace: Where; None for the whole cluster.

    Raises:
        TrialError: The user did not get the right in time.
    """
    attributes = {"verb": verb, "resource": resource} | ({"namespace": namespace} if namespace else {})
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }

    def allowed() -> bool:
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(api.request("POST", path, body=review)["status"]["allowed"])

    asking = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda allowed: not allowed),
        stop=tenacity.stop_after_delay(deadlines.ROLE_EFFECTIVE.patience),
        wait=tenacity.wait_exponential(multiplier=0.05, max=2),
    )
    try:
        asking(allowed)
    except tenacity.RetryError as error:
        raise TrialError(f"a user may not {verb} {resource} within {deadlines.ROLE_EFFECTIVE}") from error
