"""Vault (or OpenBao): whether it is open, and what its KV v2 engine holds, without the values.

Logs in by JWT auth with a token that Entra issues to the app's identity. Never unseals, never initialises,
and has no use for a root token.

https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import AGAIN, CONNECT, CONNECTIONS, READ, OncePer, as_unknown
from shared.clients.fingerprints import Fingerprint, SecretText, fingerprint
from shared.clients.importing import IMPORTING
from shared.errors import NotWritten, PermanentError, ReconvergeError, TemporaryError, WriteConflict
from shared.model import Absent, Known, Read, Unknown

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from hvac import Client
    from hvac.exceptions import VaultError
    from requests import Session as Connections

SERVICE: Final = "Vault"
FIELD: Final = "value"
"""Where every key holds its value."""


@dataclass(frozen=True, slots=True)
class SealStatus:
    initialised: bool
    sealed: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A login. Whoever holds the token acts as Reconverge in Vault, so it is never shown."""

    address: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Vault answered, and does not let us in."""

    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """The newest version of a key."""

    version: int
    deleted: bool
    fingerprint: Fingerprint | None
    """None where the field is not there."""


class Vaults:
    def __init__(self, credential: "TokenCredential") -> None:
        self._credential = credential
        self._connections = OncePer(_connections)

    def seal_status(self, address: str) -> Read[SealStatus]:
        """One GET, without a token."""

        def read() -> SealStatus:
            found = self._client(address, "").sys.read_seal_status()
            return SealStatus(initialised=found["initialized"] is True, sealed=found["sealed"] is not False)

        return _read(read)

    def login(self, address: str, mount: str, role: str, audience: str) -> Read[Session] | LoginRefused:
        """A token of Entra for the audience, and one POST."""
        try:
            jwt = self._credential.get_token(f"{audience}/.default").token
        # Of our own identity: Vault was not asked, and has refused nothing.
        except ReconvergeError as error:
            return as_unknown(error)
        try:
            with _translated():
                # Its token is handed over, not kept in a client that others share.
                found = self._client(address, "").auth.jwt.jwt_login(role, jwt, use_token=False, path=mount)
                token = found["auth"]["client_token"]
        except (_Refused, PermanentError, _NotThere, _NotMounted) as refused:
            return LoginRefused(str(refused))
        except ReconvergeError as error:
            return as_unknown(error)
        if not isinstance(token, str) or not token:
            return Unknown(_misshapen("no token"))
        return Known(Session(address, token))

    def read(self, session: Session, mount: str, key: str, placeholders: Collection[str]) -> Read[Held]:
        """One GET. Absent for a key that was never written, Unknown without its engine. The value is dropped
        here."""

        def read() -> Held:
            found: Any = self._client(session.address, session.token).secrets.kv.v2.read_secret_version(
                key, mount_point=mount, raise_on_deleted_version=False
            )
            data, version = found["data"]["data"], found["data"]["metadata"]["version"]
            value = (data or {}).get(FIELD)
            held = fingerprint(value, placeholders) if isinstance(value, str) else None
            return Held(version=int(version), deleted=data is None, fingerprint=held)

        return _read(read)

    def capabilities(self, session: Session, paths: Collection[str]) -> Read[Mapping[str, frozenset[str]]]:
        """One POST: what the session's token may do at each path. The policy `default` lets it ask.

        https://developer.hashicorp.com/vault/api-docs/system/capabilities-self
        """

        def read() -> Mapping[str, frozenset[str]]:
            found: Any = self._client(session.address, session.token).sys.get_capabilities(list(paths))
            return {path: frozenset(map(str, found["data"][path])) for path in paths}

        return _read(read)

    def write(self, session: Session, mount: str, key: str, value: SecretText, *, cas: int) -> None:
        """One POST. For shared.clients.seeding only.

        cas: the version that is there now; 0 where the key was never written.
        Raises WriteConflict where another version is there, another NotWritten where Vault does not take it.
        Else ReconvergeError.
        """
        with _translated():
            made: Any = self._client(session.address, session.token).secrets.kv.v2.create_or_update_secret(
                key, {FIELD: value.text}, cas=cas, mount_point=mount
            )
        # hvac takes a redirect to another node, which is not followed, for a success.
        if not isinstance(made, dict):
            said = f"{SERVICE} answered without a version, what was asked may have been done"
            raise TemporaryError(said, delay=AGAIN)

    def _client(self, address: str, token: str) -> "Client":
        with IMPORTING:
            from hvac import Client

        # A token is given even when there is none: hvac would look for one in the environment and in files.
        return Client(
            url=address,
            token=token or "",
            timeout=(CONNECT, READ),
            allow_redirects=False,
            session=self._connections(address),
        )


def _connections(_: str) -> "Connections":
    with IMPORTING:
        import requests
        from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.auth = lambda request: request  # else what a ~/.netrc holds for the host would be sent
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    return session


class _NotThere(NotWritten):
    """404."""


class _NotMounted(NotWritten):
    """404 that says why: no engine has this path. What the engine holds is not known then."""


class _Refused(NotWritten):
    """401 or 403."""


@contextmanager
def _translated() -> Iterator[None]:
    """The one place where an exception of hvac becomes ours. Its texts may hold anything and are dropped."""
    with IMPORTING:
        from hvac.exceptions import VaultError
        from requests.exceptions import RequestException

    try:
        yield
    except VaultError as error:
        raise _classified(error) from error
    except RequestException as error:
        kind = type(error).__name__
        raise TemporaryError(f"{SERVICE} could not be reached ({kind})", delay=AGAIN) from error
    # Of hvac as well, on a refusal whose JSON is no object. Such an error may hold the body it met.
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise TemporaryError(_misshapen(type(error).__name__), delay=AGAIN) from None


def _classified(error: "VaultError") -> ReconvergeError:
    with IMPORTING:
        from hvac import exceptions

    match error:
        # Of a key that was never written, Vault says nothing at all.
        case exceptions.InvalidPath() if error.errors:
            return _NotMounted(f"{SERVICE} answered 404: the mount is not there", delay=AGAIN)
        case exceptions.InvalidPath():
            return _NotThere(f"{SERVICE} answered 404", delay=AGAIN)
        case exceptions.Forbidden() | exceptions.Unauthorized():
            return _Refused(
                f"{SERVICE} answered 403: see the policy of the role that Reconverge logs in with",
                delay=timedelta(minutes=5),
            )
        # The one sentence of Vault that is read, since nothing else tells a lost race from a bad request.
        case exceptions.InvalidRequest() if "check-and-set" in str(error):
            return WriteConflict(f"{SERVICE} holds another version than it did", delay=AGAIN)
        case exceptions.InvalidRequest():
            return PermanentError(f"{SERVICE} answered 400")
        case exceptions.VaultDown():
            return TemporaryError(f"{SERVICE} answered 503: it is sealed or not up", delay=AGAIN)
    return TemporaryError(f"{SERVICE} answered with {type(error).__name__}", delay=AGAIN)


def _read[T](call: Callable[[], T]) -> Read[T]:
    """Never raises for what Vault or the network does."""
    try:
        with _translated():
            return Known(call())
    except _NotThere:
        return Absent()
    except ReconvergeError as error:
        return as_unknown(error)


def _misshapen(what: str) -> str:
    return f"{SERVICE}'s answer has not the promised shape ({what})"
