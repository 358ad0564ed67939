"""The app's settings, read once from the environment and checked as a whole.

Read by function_app and the command line. Nothing else looks into the environment, except the SDKs: for the
platform's identity endpoint, a service principal's secret, proxies and the CA bundle.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from shared.errors import Misconfigured

ARM_ENDPOINT: Final = "https://management.azure.com"
AUTHORITY_HOST: Final = "https://login.microsoftonline.com"
GITHUB_URL: Final = "https://github.com"
GITHUB_API: Final = "https://api.github.com"
APP_DIRECTORY: Final = Path(__file__).resolve().parent.parent
STORAGE: Final = "AzureWebJobsStorage"
GIT_CREDENTIALS: Final = "RECONVERGE_GIT_CREDENTIALS"
ARGOCD_TOKEN: Final = "RECONVERGE_ARGOCD_TOKEN"  # noqa: S105 (the setting's name)
ARGOCD_TOKEN_PREVIOUS: Final = "RECONVERGE_ARGOCD_TOKEN_PREVIOUS"  # noqa: S105 (the same)

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_GIT_HOST: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[1-9][0-9]{0,4})?", re.ASCII)
_BEARER_TOKEN: Final = re.compile(r"(?=.{32})[A-Za-z0-9._~+/-]+=*")
"""What may stand behind `Bearer`, and is too long to be guessed. An unresolved Key Vault reference is none.

https://datatracker.ietf.org/doc/html/rfc6750#section-2.1
"""


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """A storage account by connection string, which holds its key."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityConnection:
    """A storage account by address, for a credential that holds the data roles on it."""

    queue_endpoint: str
    table_endpoint: str
    managed_identity: bool
    """`__credential=managedidentity`: no other kind of credential may be tried."""
    client_id: str | None
    """The user-assigned identity to use; None is the system-assigned one."""


@dataclass(frozen=True, slots=True)
class GitCredential:
    """Who we are at one Git server."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    arm_endpoint: str
    arm_audience: str
    """Whom tokens for ARM are meant for. In a sovereign cloud that is its ARM endpoint."""
    authority: str
    client_id: str | None
    """The user-assigned identity that the app acts as; None is the system-assigned one."""
    tenant_id: str | None
    managed_identity: bool
    """The platform offers a managed identity: IDENTITY_ENDPOINT is there."""
    callers_named: bool
    """App Service authentication is on: only then are the headers that name a caller the platform's own."""
    service_principal: bool
    """A CI job brings its own: AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH is there."""
    landscape: Path
    storage: ConnectionString | IdentityConnection | None
    """None where the run needs none, such as `reconverge run`."""
    notices_endpoint: str | None
    github_url: str
    """Where repositories of https://github.com are: there, or wherever stands in for it."""
    github_api: str
    github_token: str | None = field(repr=False)
    """None reads public repositories only, and writes nothing."""
    git_credentials: Mapping[str, GitCredential] = field(default_factory=dict, repr=False)
    """For Git servers other than GitHub, by host in lower case, with its port where that is not 443."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises Misconfigured, naming the setting and what to write. An empty setting is a missing one."""
        given = {name: text.strip() for name, text in environment.items() if text.strip()}
        github_url = _https(given, "RECONVERGE_GITHUB_URL", GITHUB_URL)
        _hold_ca_bundle(given)
        return cls(
            arm_endpoint=_https(given, "RECONVERGE_ARM_ENDPOINT", ARM_ENDPOINT),
            arm_audience=_https(given, "RECONVERGE_ARM_AUDIENCE", ARM_ENDPOINT),
            authority=_authority(given),
            client_id=_guid(given, "AZURE_CLIENT_ID"),
            tenant_id=_guid(given, "AZURE_TENANT_ID"),
            managed_identity="IDENTITY_ENDPOINT" in given,
            callers_named=_callers_named(given),
            service_principal=_service_principal(given),
            landscape=APP_DIRECTORY / given.get("RECONVERGE_LANDSCAPE", "landscape.yaml"),
            storage=_storage(given),
            notices_endpoint=_notices(given),
            github_url=github_url,
            github_api=_https(given, "RECONVERGE_GITHUB_API_URL", GITHUB_API),
            github_token=given.get("RECONVERGE_GITHUB_TOKEN"),
            git_credentials=_git_credentials(given, github_url),
        )


def argocd_tokens(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The bearer tokens that Argo CD's notifications may come with: the present one, and while it is being
    replaced the one before it.

    Apart from Settings, since a mistake here shall close this door and stop nothing else. Raises
    Misconfigured where there is none, or one that could not be sent.
    """
    names = (ARGOCD_TOKEN, ARGOCD_TOKEN_PREVIOUS)
    given = {name: text for name in names if (text := environment.get(name, "").strip())}
    if ARGOCD_TOKEN not in given:
        raise Misconfigured(f"{ARGOCD_TOKEN} is missing: nothing is accepted from Argo CD without it")
    for name, token in given.items():
        if not _BEARER_TOKEN.fullmatch(token):
            raise Misconfigured(
                f"{name} is no bearer token: write at least 32 of A-Z a-z 0-9 - . _ ~ + /, as"
                " `openssl rand -hex 32` prints them; a Key Vault reference must have been resolved"
            )
    return tuple(given.values())


def _hold_ca_bundle(given: Mapping[str, str]) -> None:
    """`requests`, which takes the first of the two, fails with each call where there is nothing. A folder of
    certificates will do as well.

    https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if name in given:
            if not Path(given[name]).exists():
                raise Misconfigured(f"{name} names a file that is not there: {given[name]}")
            return


def _https(given: Mapping[str, str], name: str, default: str) -> str:
    """An address without its last slash. SDKs refuse to send a token over plain http."""
    text = given.get(name, default).rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username is not None:
        raise Misconfigured(f"{name} is not an https address: write it like {default}")
    return text


def _authority(given: Mapping[str, str]) -> str:
    """The Azure SDKs also accept a bare host name here."""
    name = "AZURE_AUTHORITY_HOST"
    text = given.get(name, AUTHORITY_HOST)
    return _https({name: text if "://" in text else f"https://{text}"}, name, AUTHORITY_HOST)


def _notices(given: Mapping[str, str]) -> str | None:
    name = "RECONVERGE_NOTICES_ENDPOINT"
    example = "https://<topic>.<region>.eventgrid.azure.net/api/events"
    return _https(given, name, example) if name in given else None


def _git_credentials(given: Mapping[str, str], github_url: str) -> Mapping[str, GitCredential]:
    """Whatever is wrong with it, its text is not repeated: it holds passwords."""
    example = '{"git.example.com": {"username": "reconverge", "password": "..."}}'
    wrong = f"{GIT_CREDENTIALS} is not what it should be: write a JSON object like {example}"
    try:
        told = json.loads(given.get(GIT_CREDENTIALS, "{}"))
        found = {host.lower().removesuffix(":443"): _git_credential(one) for host, one in told.items()}
    # A parser's error holds the whole text, and would be printed with ours.
    except (AttributeError, TypeError, ValueError, RecursionError):
        raise Misconfigured(wrong) from None
    if len(found) != len(told) or not all(map(_GIT_HOST.fullmatch, found)):
        raise Misconfigured(f"{wrong}, with each host once, with its port where that is not 443")
    if {"github.com", urlsplit(github_url).netloc.lower()} & found.keys():
        raise Misconfigured(f"{GIT_CREDENTIALS} names GitHub: set RECONVERGE_GITHUB_TOKEN for it instead")
    return found


def _git_credential(told: Mapping[str, object]) -> GitCredential:
    """Raises ValueError. A colon would end the name: https://www.rfc-editor.org/rfc/rfc7617#section-2"""
    match told:
        case {"username": str(name), "password": str(password)} if len(told) == 2 and name and password:
            if ":" not in name:
                return GitCredential(name, password)
    raise ValueError


def _guid(given: Mapping[str, str], name: str) -> str | None:
    text = given.get(name)
    if text is not None and not _GUID.fullmatch(text):
        raise Misconfigured(f"{name} is not a GUID: write it like 00000000-0000-0000-0000-000000000000")
    return text


def _callers_named(given: Mapping[str, str]) -> bool:
    """The platform injects this; any other word than True leaves callers unnamed.

    https://learn.microsoft.com/azure/app-service/reference-app-settings#authentication--authorization
    """
    return given.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"


def _service_principal(given: Mapping[str, str]) -> bool:
    """The identity SDK would take half a service principal for none."""
    found = [name for name in ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH") if name in given]
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID"):
        if found and name not in given:
            raise Misconfigured(f"{found[0]} is there without {name}: write it too, or remove {found[0]}")
    return bool(found)


def _storage(given: Mapping[str, str]) -> ConnectionString | IdentityConnection | None:
    """The two shapes of a host's storage connection; the connection string wins, as it does in the host.

    https://learn.microsoft.com/azure/azure-functions/functions-reference#connections
    """
    if text := given.get(STORAGE):
        if not _complete(text):
            raise Misconfigured(
                f"{STORAGE} is not a complete connection string: write UseDevelopmentStorage=true, or the one"
                " that `az storage account show-connection-string` prints"
            )
        return ConnectionString(text)
    if not any(name.startswith(f"{STORAGE}__") for name in given):
        return None
    kind = given.get(f"{STORAGE}__credential")
    if kind not in {None, "managedidentity"}:
        name = f"{STORAGE}__credential"
        raise Misconfigured(f"{name} is of no known kind: write managedidentity, or leave it out")
    return IdentityConnection(
        queue_endpoint=_service(given, "queue"),
        table_endpoint=_service(given, "table"),
        managed_identity=kind is not None,
        client_id=_guid(given, f"{STORAGE}__clientId"),
    )


def _complete(text: str) -> bool:
    """Names an account and what opens it. Without a key some SDKs would go on unauthenticated."""
    parts = {name.lower(): value for name, _, value in (part.partition("=") for part in text.split(";"))}
    names_account = any(parts.get(name) for name in ("accountname", "queueendpoint"))
    opens_it = any(parts.get(name) for name in ("accountkey", "sharedaccesssignature"))
    return parts.get("usedevelopmentstorage") == "true" or (names_account and opens_it)


def _service(given: Mapping[str, str], service: str) -> str:
    uri, account = f"{STORAGE}__{service}ServiceUri", f"{STORAGE}__accountName"
    if uri in given:
        return _https(given, uri, f"https://<account>.{service}.core.windows.net")
    if account not in given:
        raise Misconfigured(f"{uri} is missing: write the account's {service} address, or set {account}")
    if not _ACCOUNT.fullmatch(given[account]):
        raise Misconfigured(f"{account} is not a storage account: write its name, 3 to 24 of a-z and 0-9")
    return f"https://{given[account]}.{service}.core.windows.net"
