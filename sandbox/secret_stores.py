"""SecretStores, as the External Secrets Operator validates them: by a login at their Vault.

https://external-secrets.io/latest/provider/hashicorp-vault/
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import SERVICE_ACCOUNTS, STORES
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.reconciling import Recorder, with_condition
from sandbox.vault_http import Vault, VaultRefused, VaultUnreachable

_LIFETIME = timedelta(minutes=10)


class ProviderError(Exception):
    """The store's Vault does not give what was asked for; the text is the cause."""


@dataclass(frozen=True, slots=True)
class Login:
    address: str
    mount: str
    token: str = field(repr=False)


class SecretStores:
    """Keeps the login of each store that is Ready."""

    def __init__(self, objects: Objects, accounts: ServiceAccountTokens) -> None:
        self._objects = objects
        self._accounts = accounts
        self._recorder = Recorder(objects, "secret-store")
        self._logins: dict[tuple[str, str], Login] = {}

    def login(self, namespace: str, name: str) -> Login:
        """Of a store that is Ready. Raises ProviderError."""
        if self._objects.get(STORES, namespace, name) is None:
            raise ProviderError(
                f'could not get SecretStore "{name}", SecretStore.external-secrets.io "{name}" not found'
            )
        held = self._logins.get((namespace, name))
        if held is None:
            raise ProviderError(f'SecretStore "{name}" is not ready')
        return held

    async def validate(self, namespace: str, name: str) -> bool:
        """Log in, and say what came of it. Whether the store has turned Ready by it."""
        store = self._objects.get(STORES, namespace, name)
        if store is None:
            self._logins.pop((namespace, name), None)
            return False
        before = (namespace, name) in self._logins
        try:
            self._logins[namespace, name] = await self._log_in(store)
        except ProviderError as error:
            self._logins.pop((namespace, name), None)
            self._say(store, "InvalidProviderConfig", "unable to create client", str(error))
            return False
        self._say(store, "Valid", "store validated")
        return not before

    async def _log_in(self, store: Object) -> Login:
        """Raises ProviderError."""
        provider = store["spec"]["provider"]["vault"]
        auth = provider["auth"]["kubernetes"]
        namespace, account_name = store["metadata"]["namespace"], auth["serviceAccountRef"]["name"]
        account = self._objects.get(SERVICE_ACCOUNTS, namespace, account_name)
        if account is None:
            raise ProviderError(f'cannot create token: serviceaccounts "{account_name}" not found')
        jwt = self._accounts.issue(account, [self._accounts.issuer], _LIFETIME)
        path, body = f"auth/{auth['mountPath']}/login", {"role": auth["role"], "jwt": jwt}
        try:
            async with Vault(provider["server"]) as vault:
                answer = await vault.call("PUT", path, body)
        except (VaultRefused, VaultUnreachable) as error:
            raise ProviderError(f"unable to log in with Kubernetes auth: {error}") from error
        return Login(provider["server"], provider["path"], answer["auth"]["client_token"])

    def _say(self, store: Object, reason: str, message: str, cause: str = "") -> None:
        """The condition is general; the cause stands in an Event only."""
        metadata = store["metadata"]
        present = self._objects.get(STORES, metadata["namespace"], metadata["name"])
        if present is None:
            return
        held: dict[str, Any] = present.get("status") or {}
        conditions = with_condition(
            held.get("conditions", []),
            self._objects.now(),
            kind="Ready",
            status=not cause,
            reason=reason,
            message=message,
        )
        changed = conditions != held.get("conditions")
        self._objects.set_status(
            STORES,
            metadata["namespace"],
            metadata["name"],
            {**held, "capabilities": "ReadWrite", "conditions": conditions},
        )
        if cause:
            self._recorder.say(store, "Warning", reason, cause)
        elif changed:
            self._recorder.say(store, "Normal", reason, message)


async def read_value(login: Login, key: str, field_name: str) -> str:
    """One field of the newest version of a key. Raises ProviderError."""
    try:
        async with Vault(login.address, login.token) as vault:
            found = await vault.read(f"{login.mount}/data/{key}")
    except (VaultRefused, VaultUnreachable) as error:
        raise ProviderError(f"cannot read secret data from Vault: {error}") from error
    data = ((found or {}).get("data") or {}).get("data")
    if data is None:
        raise ProviderError("Secret does not exist")
    if field_name not in data:
        raise ProviderError(f'cannot find secret data for key: "{field_name}"')
    return str(data[field_name])
