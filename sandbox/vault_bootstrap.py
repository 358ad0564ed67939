"""What the CronJob vault-bootstrap runs: it configures an environment's Vault, and seeds it from Key Vault.

Two programs share a pod. The first reads the root token from the cluster; the second does the rest, in this
order, and stops at the first thing that fails:

    wait for Vault -> KV v2 -> kubernetes auth -> JWT auth -> token of Entra -> Key Vault -> seeds

So a Vault whose seeds are missing because Entra refuses lets everybody in already. Both know nothing but
their environment and files, and print names, codes and refusals, never a value.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp

from sandbox.kubelet import ACCOUNT_FILES, TRUSTED_FILE, Container
from sandbox.vault_bootstrap_source import Source, SourceRefused
from sandbox.vault_http import Json, Vault, VaultRefused, VaultUnreachable, settle

ROOT_TOKEN_FILE = "/vault/auto/root-token"  # noqa: S105 (a path)
CREDENTIALS = "vault-auto-credentials"
MOUNT = "secret"
FIELD = "value"
_ATTEMPTS = 5
_PAUSE = 0.3
_WRITTEN_BY = "vault-bootstrap"


class Stop(Exception):
    """The program cannot go on; the text is its last line."""


async def read_credentials(container: Container) -> int:
    """The init container: copies the root token from its Secret to a volume of the pod."""
    env, files = container.env, container.files
    namespace = files[f"{ACCOUNT_FILES}/namespace"]
    url = (
        f"https://{env['KUBERNETES_SERVICE_HOST']}:{env['KUBERNETES_SERVICE_PORT']}"
        f"/api/v1/namespaces/{namespace}/secrets/{CREDENTIALS}"
    )
    context = ssl.create_default_context(cadata=files[f"{ACCOUNT_FILES}/ca.crt"])
    headers = {"Authorization": f"Bearer {files[f'{ACCOUNT_FILES}/token']}"}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers=headers, ssl=context) as answer,
        ):
            found = await answer.json()
    except aiohttp.ClientError as error:
        container.print(f"Unable to connect to the server: {type(error).__name__}")
        return 1
    if answer.status != 200:
        container.print(f"Error from server ({found['reason']}): {found['message']}")
        return 1
    files[ROOT_TOKEN_FILE] = base64.b64decode(found["data"]["root-token"]).decode()
    container.print(f"root token of Vault taken from secret {CREDENTIALS}")
    return 0


async def bootstrap(container: Container) -> int:
    """The container itself."""
    try:
        async with Vault(container.env["VAULT_ADDR"], container.files[ROOT_TOKEN_FILE]) as vault:
            await _Bootstrap(container, vault).run()
    except (Stop, VaultRefused, VaultUnreachable) as error:
        container.print(str(error))
        return 1
    container.print("vault-bootstrap: done")
    return 0


class _Bootstrap:
    def __init__(self, container: Container, vault: Vault) -> None:
        self._env = container.env
        self._files = container.files
        self._print = container.print
        self._vault = vault

    async def run(self) -> None:
        """Raises Stop, VaultRefused, VaultUnreachable."""
        await self._wait()
        await self._enable()
        await self._let_external_secrets_in()
        await self._let_client_patcher_in()
        await self._let_reconverge_in()
        for key, value in (await self._values()).items():
            await self._seed(key, value)

    # -- Vault --------------------------------------------------------------------------

    async def _wait(self) -> None:
        """A Vault that is not there gets some time; one that is sealed stays so until a person comes."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                status = await self._vault.call("GET", "sys/seal-status")
            except VaultUnreachable:
                if not left:
                    raise
                await asyncio.sleep(_PAUSE)
                continue
            if status["sealed"]:
                url = f"{self._vault.address}/v1/sys/mounts"
                raise VaultRefused("GET", url, 503, ["Vault is sealed"])
            return

    async def _enable(self) -> None:
        mounts = (await self._vault.call("GET", "sys/mounts"))["data"]
        if f"{MOUNT}/" not in mounts:
            await self._vault.call("POST", f"sys/mounts/{MOUNT}", {"type": "kv", "options": {"version": "2"}})
            await self._until_usable()
            self._print(f"enabled KV v2 at {MOUNT}/")
        methods = (await self._vault.call("GET", "sys/auth"))["data"]
        for method in ("kubernetes", "jwt"):
            if f"{method}/" not in methods:
                await self._vault.call("POST", f"sys/auth/{method}", {"type": method})
                self._print(f"enabled auth method {method}/")

    async def _until_usable(self) -> None:
        """A new engine upgrades itself before it takes its first key."""
        for _ in range(_ATTEMPTS):
            try:
                await self._vault.read(f"{MOUNT}/config")
            except VaultRefused:
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def _let_external_secrets_in(self) -> None:
        env = self._env
        await settle(
            self._vault,
            "auth/kubernetes/config",
            {
                "kubernetes_host": (
                    f"https://{env['KUBERNETES_SERVICE_HOST']}:{env['KUBERNETES_SERVICE_PORT']}"
                ),
                "kubernetes_ca_cert": self._files[f"{ACCOUNT_FILES}/ca.crt"],
                "disable_local_ca_jwt": True,
            },
        )
        await self._policy("external-secrets", f'path "{MOUNT}/data/*" {{ capabilities = ["read"] }}')
        await settle(
            self._vault,
            f"auth/kubernetes/role/{env['EXTERNAL_SECRETS_ROLE']}",
            {
                "bound_service_account_names": ["default"],
                "bound_service_account_namespaces": _names(env["EXTERNAL_SECRETS_NAMESPACES"]),
                "token_policies": ["external-secrets"],
                "token_ttl": 600,
            },
        )

    async def _let_client_patcher_in(self) -> None:
        """Whose Job writes the secrets that Keycloak has made."""
        env = self._env
        role = env["CLIENT_PATCHER_ROLE"]
        rules = (
            f'path "{MOUNT}/data/{path}" {{ capabilities = ["create", "read", "update"] }}'
            for path in _names(env["CLIENT_PATCHER_PATHS"])
        )
        await self._policy(role, "\n".join(rules))
        await settle(
            self._vault,
            f"auth/kubernetes/role/{role}",
            {
                "bound_service_account_names": [role],
                "bound_service_account_namespaces": [env["CLIENT_PATCHER_NAMESPACE"]],
                "token_policies": [role],
                "token_ttl": 600,
            },
        )

    async def _let_reconverge_in(self) -> None:
        env = self._env
        authority, tenant = env["AZURE_AUTHORITY_HOST"].rstrip("/"), env["AZURE_TENANT_ID"]
        await settle(
            self._vault,
            "auth/jwt/config",
            {
                "jwks_url": f"{authority}/{tenant}/discovery/v2.0/keys",
                "jwks_ca_pem": self._files[TRUSTED_FILE],
                "bound_issuer": f"https://sts.windows.net/{tenant}/",
            },
        )
        rules = (
            f'path "{MOUNT}/data/{key}" {{ capabilities = ["create", "read", "update"] }}'
            for key in self._wanted()
        )
        read = (
            f'path "{MOUNT}/data/{key}" {{ capabilities = ["read"] }}'
            for key in _names(env["CLIENT_SECRETS"])
        )
        await self._policy("reconverge", "\n".join((*rules, *read)))
        await settle(
            self._vault,
            "auth/jwt/role/reconverge",
            {
                "role_type": "jwt",
                "user_claim": "oid",
                "bound_audiences": ["api://AzureADTokenExchange"],
                "bound_claims": {"oid": env["RECONVERGE_OBJECT_ID"]},
                "token_policies": ["reconverge"],
                "token_ttl": 600,
            },
        )

    async def _policy(self, name: str, rules: str) -> None:
        await settle(self._vault, f"sys/policies/acl/{name}", {"policy": rules})

    # -- Key Vault ----------------------------------------------------------------------

    def _wanted(self) -> dict[str, str]:
        """Key of Vault -> secret of Key Vault: required ones of the same name, then the mapped ones."""
        mapped = (pair.partition("=") for pair in _names(self._env.get("MAPPED_SECRETS", "")))
        return {
            **{name: name for name in _names(self._env["REQUIRED_SECRETS"])},
            **{key: name for key, _, name in mapped},
        }

    async def _values(self) -> Mapping[str, str]:
        """Of every key. All are read before the first is written. Raises Stop."""
        wanted = self._wanted()
        path = self._env.get("AZURE_FEDERATED_TOKEN_FILE", "")
        if path not in self._files:
            raise Stop("missing AZURE_FEDERATED_TOKEN_FILE: the pod was not given a token for Entra")
        trusted = ssl.create_default_context(cadata=self._files[TRUSTED_FILE])
        async with Source(self._env, self._files[path], trusted) as source:
            values: dict[str, str] = {}
            for key, name in wanted.items():
                try:
                    values[key] = await source.value(name)
                except SourceRefused as refused:
                    self._print(str(refused))
                    raise Stop(f"missing required Key Vault secret: {name}") from refused
        return values

    # -- seeds --------------------------------------------------------------------------

    async def _seed(self, key: str, value: str) -> None:
        """Write it, unless it is there, or somebody else has written what is there."""
        held = await self._newest(key)
        if held is not None and held["value"] == value:
            return
        version = held["version"] if held else 0
        if held and version != held["ours"]:
            self._print(f"{MOUNT}/{key}: version {version} was written by somebody else; left as it is")
            return
        body = {"options": {"cas": version}, "data": {FIELD: value}}
        try:
            written = await self._vault.call("POST", f"{MOUNT}/data/{key}", body)
        except VaultRefused as refused:
            if any("check-and-set" in one for one in refused.errors):
                self._print(f"{MOUNT}/{key}: somebody else was quicker; left as it is")
                return
            raise
        made = str(written["data"]["version"])
        await self._vault.call("POST", f"{MOUNT}/metadata/{key}", {"custom_metadata": {_WRITTEN_BY: made}})
        self._print(f"{MOUNT}/{key}: version {made} written")

    async def _newest(self, key: str) -> Json | None:
        """Version, value (None of a deleted one) and which version we have written; None: never written."""
        try:
            found: dict[str, Any] = (await self._vault.call("GET", f"{MOUNT}/metadata/{key}"))["data"]
        except VaultRefused as refused:
            if refused.status == 404:
                return None
            raise
        if not found["current_version"]:
            return None
        latest = await self._vault.read(f"{MOUNT}/data/{key}")
        data = (latest or {}).get("data", {}).get("data") or {}
        ours = (found.get("custom_metadata") or {}).get(_WRITTEN_BY, "0")
        return {"version": found["current_version"], "value": data.get(FIELD), "ours": int(ours)}


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
