"""One request to a cluster's Kubernetes API, as the app's identity, and its refusals in our words.

Used by the clients of single parts of that API. Bodies stay plain JSON: the official client's models are
strict where servers of other versions are not, and drop what they do not know.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import (
    AGAIN,
    CONNECT,
    CONNECTIONS,
    READ,
    OncePer,
    as_unknown,
    retry_after,
)
from shared.clients.importing import IMPORTING
from shared.clients.managed_clusters import ApiServer
from shared.errors import NotWritten, PermanentError, ReconvergeError, TemporaryError, WriteConflict
from shared.model import Absent, Known, Read, Unknown

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from kubernetes.client import ApiClient

SERVICE: Final = "the API server"
# The same application for every AKS cluster: https://azure.github.io/kubelogin/concepts/aks.html
AKS_SCOPE: Final = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
FORBIDDEN_PAUSE: Final = timedelta(minutes=5)
"""A role that was just bound is not seen everywhere at once."""
MOST_PAGES: Final = 1000
"""Of one list: a server that has more has lost its place, and nobody could hold them."""


class NotFound(NotWritten):
    """404: for a read that is an answer; a write is planned anew from what is there now."""


class AlreadyExists(NotWritten):
    """409 AlreadyExists: an object of that name is there."""


class Lost(TemporaryError):
    """No usable answer, or 5xx: what was asked may have been done."""


class BadRequest(PermanentError):
    """400: to a read, that there is nothing to answer so far."""


class Expired(NotWritten):
    """410: the page of a list that was asked for is of a past that the server no longer keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked. `needs` names the permission, for whoever reads that it is missing."""

    method: str
    path: str
    needs: str
    query: Mapping[str, str] | None = None
    body: object = None
    content_type: str = JSON


class KubernetesApi:
    def __init__(self, credential: "TokenCredential") -> None:
        self._client: OncePer[ApiServer, ApiClient] = OncePer(lambda server: api_client(server, credential))

    def json(self, api_server: ApiServer, call: Call) -> Any:
        """The answer's body. Raises what `text` raises, and TemporaryError for a body that is no JSON."""
        try:
            return json.loads(self.text(api_server, call))
        except (ValueError, RecursionError) as error:
            raise Lost(f"{SERVICE}'s answer is no JSON", delay=AGAIN) from error

    def every[T](
        self, api_server: ApiServer, call: Call, record: Callable[[Any], T], *, page: int
    ) -> tuple[T, ...]:
        """The items of a list, a request for each `page` of them. Raises what `json` raises.

        Each page is made into records before the next is read: its text is the larger part by far.
        """
        try:
            return tuple(self._pages(api_server, call, record, page))
        except Expired:  # a token for the next page lives for five minutes
            return tuple(self._pages(api_server, call, record, page))

    def _pages[T](
        self, api_server: ApiServer, call: Call, record: Callable[[Any], T], page: int
    ) -> Iterator[T]:
        query = {**(call.query or {}), "limit": str(page)}
        for _ in range(MOST_PAGES):
            found = self.json(api_server, replace(call, query=query))
            yield from map(record, found["items"])
            token = (found.get("metadata") or {}).get("continue")
            if not token:
                return
            query["continue"] = token
        raise TemporaryError(f"{SERVICE}'s list does not end", delay=AGAIN)

    def text(self, api_server: ApiServer, call: Call) -> str:
        """The answer's body. One request, never repeated. Raises ReconvergeError, NotFound and AlreadyExists
        among them; where the answer was lost, a write may have been done."""
        with IMPORTING:
            from kubernetes.client.exceptions import ApiException
            from urllib3.exceptions import HTTPError

        client = self._client(api_server)
        method, url, headers, body, _ = client.param_serialize(
            call.method,
            call.path,
            query_params=list((call.query or {}).items()),
            header_params={"Accept": f"{JSON}, */*", "Content-Type": call.content_type},
            body=call.body,
            auth_settings=["BearerToken"],
        )
        try:
            answer: Any = client.call_api(method, url, headers, body, _request_timeout=(CONNECT, READ))
            content = bytes(answer.read() or b"").decode(errors="replace")
        except ApiException as error:  # status 0 is how this client tells of TLS
            raise TemporaryError(
                f"{SERVICE}'s certificate is not of the cluster's CA", delay=AGAIN
            ) from error
        except HTTPError as error:
            raise _unreachable(error) from error
        if answer.status < 300:
            return content
        raise _refusal(answer.status, content, dict(answer.headers or {}), call)


def read[T](call: Callable[[], T]) -> Read[T]:
    """Never raises for what the API server or the network does."""
    try:
        return Known(call())
    except NotFound:
        return Absent()
    except ReconvergeError as error:
        return as_unknown(error)
    # Bodies are believed to have their promised shape.
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return Unknown(f"{SERVICE}'s answer has not the promised shape ({type(error).__name__})")


def word(text: object) -> str:
    """Kinds, phases, reasons and the like are one word; whatever else stands there is dropped."""
    return text if isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9]{1,63}", text) else ""


def time_of(text: str | None) -> datetime | None:
    """Kubernetes writes them with a zone; what controllers of others write without one is UTC as well."""
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _unreachable(error: Exception) -> Lost:
    return Lost(
        f"{SERVICE} could not be reached ({type(error).__name__}); that of a private cluster answers only"
        " within its network",
        delay=AGAIN,
    )


def _refusal(status: int, body: str, headers: Mapping[str, str], call: Call) -> ReconvergeError:
    reason = reason_of(body)
    said = f"{SERVICE} answered {status} {reason}".rstrip()
    asked = retry_after({name.lower(): text for name, text in headers.items()}, now=datetime.now(UTC))
    match status:
        case 404:
            return NotFound(said, delay=AGAIN)
        case 409 if reason == "AlreadyExists":
            return AlreadyExists(said, delay=AGAIN)
        case 409:  # the object has another resourceVersion by now, and nothing was written
            return WriteConflict(said, delay=AGAIN)
        case 410:
            return Expired(said, delay=AGAIN)
        case 401:
            return NotWritten(
                f"{said}: it does not take Entra tokens; enable Entra integration on the cluster",
                delay=FORBIDDEN_PAUSE,
            )
        case 403:
            return NotWritten(f"{said}: grant the app's identity {call.needs}", delay=FORBIDDEN_PAUSE)
        case 400:
            return BadRequest(said)
        case 405 | 422:
            return PermanentError(said)
    kind = Lost if status >= 500 else TemporaryError
    return kind(said, delay=asked or AGAIN, asked=asked is not None)


def reason_of(body: object) -> str:
    """The `reason` of a Status object, which is a word; whatever else the body holds is dropped."""
    try:
        reason = json.loads(body)["reason"]  # type: ignore[arg-type]
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""
    return reason if isinstance(reason, str) and re.fullmatch(r"[A-Za-z]{1,60}", reason) else ""


def api_client(api_server: ApiServer, credential: "TokenCredential") -> "ApiClient":
    """The official client, with the cluster's own CA and the app's token, never the kubeconfig's user."""
    with IMPORTING:
        from kubernetes.client import ApiClient, Configuration

    def refresh(configuration: Configuration) -> None:
        configuration.api_key["authorization"] = f"Bearer {credential.get_token(AKS_SCOPE).token}"

    # Untyped: the client declares the hook as None.
    configuration: Any = Configuration(
        host=api_server.server,
        ca_cert_data=api_server.ca_pem,
        # The hook is called only where a key is there already.
        api_key={"authorization": ""},
        # urllib3 would try three times, each with its own time limit, and follow redirects with the token.
        retries=False,
    )
    configuration.refresh_api_key_hook = refresh
    # Five for each core, else; whatever is read beyond them side by side is warned of on the terminal.
    configuration.connection_pool_maxsize = CONNECTIONS
    return ApiClient(configuration)
