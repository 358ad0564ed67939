"""Short-lived tokens of Kubernetes service accounts, by the TokenRequest API.

Used by shared.clients.token_exchange. Needs `create` on `serviceaccounts/token` in the namespace, bound to
the object id of the app's identity.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.clients.azure_core import CONNECT, READ, OncePer, as_unknown
from shared.clients.importing import IMPORTING
from shared.clients.kubernetes_api import api_client, reason_of
from shared.clients.managed_clusters import ApiServer
from shared.errors import ReconvergeError
from shared.model import Absent, Known, Read, Unknown

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from kubernetes.client import CoreV1Api
    from kubernetes.client.exceptions import ApiException

LIFETIME: Final = 600
"""Seconds; Kubernetes grants no less."""


@dataclass(frozen=True, slots=True)
class ServiceAccountToken:
    """Whoever holds it acts as the service account, so it is never shown."""

    text: str = field(repr=False)


class ServiceAccounts:
    def __init__(self, credential: "TokenCredential") -> None:
        self._api: OncePer[ApiServer, CoreV1Api] = OncePer(lambda server: _api(server, credential))

    def token(
        self, api_server: ApiServer, namespace: str, name: str, audience: str
    ) -> Read[ServiceAccountToken]:
        """One POST. Absent where the service account or its namespace does not exist."""
        with IMPORTING:
            from kubernetes.client import AuthenticationV1TokenRequest, V1TokenRequestSpec
            from kubernetes.client.exceptions import ApiException
            from urllib3.exceptions import HTTPError

        wanted = AuthenticationV1TokenRequest(
            spec=V1TokenRequestSpec(audiences=[audience], expiration_seconds=LIFETIME)
        )
        try:
            answer = self._api(api_server).create_namespaced_service_account_token(
                name, namespace, wanted, _request_timeout=(CONNECT, READ)
            )
        except ApiException as error:
            return _refusal(error)
        except HTTPError as error:
            return Unknown(f"the API server could not be reached ({type(error).__name__})")
        except ValueError as error:  # the client reads strictly what it was promised
            return Unknown(f"the API server's answer is no token request ({type(error).__name__})")
        except ReconvergeError as error:
            return as_unknown(error)
        status = answer.status if answer else None
        token = status.token if status else None
        return Known(ServiceAccountToken(token)) if token else Unknown("the API server gave no token")


def _refusal(error: "ApiException") -> Absent | Unknown:
    reason = reason_of(error.body)
    said = f"the API server answered {error.status} {reason}".rstrip()
    match error.status:
        case 0:  # how this client tells of TLS
            return Unknown("the API server's certificate is not of the cluster's CA")
        case 404 if reason == "NotFound":
            return Absent()
        case 401:
            return Unknown(f"{said}: it does not take Entra tokens; enable Entra integration on the cluster")
        case 403:
            return Unknown(f"{said}: grant the app's identity create on serviceaccounts/token there")
    return Unknown(said)


def _api(api_server: ApiServer, credential: "TokenCredential") -> "CoreV1Api":
    with IMPORTING:
        from kubernetes.client import CoreV1Api

    return CoreV1Api(api_client(api_server, credential))
