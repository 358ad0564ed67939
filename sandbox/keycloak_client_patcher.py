"""What the Job client-patcher runs: it makes clients of a realm as declared, and brings Vault their secrets.

    log in -> list the clients -> make and merge them -> read their secrets -> Vault -> publish digests

It logs in as the client that the master bootstrap makes. Where that is not there it takes one that may log in
and look at nothing, so that the list is refused, and nothing is written anywhere.
"""

import hashlib
import json
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp

from sandbox.keycloak_calls import Json, KeycloakCalls, KeycloakRefused, KeycloakUnavailable
from sandbox.kubelet import ACCOUNT_FILES, TRUSTED_FILE, Container
from sandbox.vault_http import Vault, VaultRefused, VaultUnreachable

SPECS_FILE = "/specs/clients.json"
_MOUNT = "secret"
_FIELD = "value"


class _Stop(Exception):
    """The program cannot go on; the text is its last line."""


async def run(container: Container) -> int:
    env = container.env
    specs = json.loads(container.files[SPECS_FILE])
    try:
        async with KeycloakCalls(env["KEYCLOAK_URL"], container.files[TRUSTED_FILE]) as keycloak:
            await _log_in(keycloak, container, specs["realm"])
            secrets = await _secrets(keycloak, specs, container.print)
        await _write(container, specs["clients"], secrets)
        await _publish(container, secrets)
    except (_Stop, KeycloakRefused, KeycloakUnavailable) as error:
        container.print(f"ERROR: {error}")
        return 1
    container.print("client-patcher: done")
    return 0


async def _log_in(keycloak: KeycloakCalls, container: Container, realm: str) -> None:
    """Raises KeycloakRefused."""
    env = container.env
    form = {
        "grant_type": "client_credentials",
        "client_id": env["ADMIN_CLIENT_ID"],
        "client_secret": env["ADMIN_CLIENT_SECRET"],
    }
    try:
        await keycloak.log_in("master", form, container.print)
    except KeycloakRefused as refused:
        if refused.status != 401:
            raise
        fallback = env["FALLBACK_CLIENT_ID"]
        container.print(f"No client {form['client_id']}, logging in as {fallback}")
        form["client_id"] = fallback
        await keycloak.log_in(realm, form, container.print)


async def _secrets(keycloak: KeycloakCalls, specs: Json, say: Callable[[str], None]) -> dict[str, str]:
    """Of each declared client, by its id, once it is as declared.

    Raises KeycloakRefused, KeycloakUnavailable.
    """
    base = f"/admin/realms/{specs['realm']}/clients"
    held = {one["clientId"]: one async for one in keycloak.clients(specs["realm"])}
    found: dict[str, str] = {}
    for client_id, wanted in specs["clients"].items():
        client = held.get(client_id)
        if client is None and not specs["reconcile"]:
            say(f"Client '{client_id}' not found - skipping")
            continue
        if client is None:
            await keycloak.call("POST", base, {"clientId": client_id, "redirectUris": wanted["redirectUris"]})
            (client,) = await keycloak.call("GET", f"{base}?clientId={client_id}")
            say(f"Client '{client_id}' created")
        elif specs["reconcile"] and (more := _lacking(client, wanted)):
            merged = [*(client.get("redirectUris") or ()), *more]
            await keycloak.call("PUT", f"{base}/{client['id']}", {**client, "redirectUris": merged})
            say(f"Client '{client_id}' updated")
        secret = await keycloak.call("GET", f"{base}/{client['id']}/client-secret")
        found[client_id] = secret["value"]
    return found


def _lacking(client: Json, wanted: Json) -> list[str]:
    held = client.get("redirectUris") or ()
    return [uri for uri in wanted["redirectUris"] if uri not in held]


async def _write(container: Container, clients: Json, secrets: dict[str, str]) -> None:
    """To Vault. All are tried before the first refusal counts. Raises _Stop."""
    address = container.env["VAULT_ADDR"]
    refused = False
    try:
        async with Vault(address, await _vault_token(container)) as vault:
            for client_id, secret in secrets.items():
                key = clients[client_id]["vaultKey"]
                try:
                    await vault.call("PUT", f"{_MOUNT}/data/{key}", {"data": {_FIELD: secret}})
                except VaultRefused as error:
                    container.print(f"ERROR: {_told(address, f'{_MOUNT}/data/{key}', error)}")
                    refused = True
                else:
                    container.print(f"Secret written successfully: {_MOUNT}/{key}")
    except VaultUnreachable as error:
        raise _Stop(str(error)) from error
    if refused:
        raise _Stop("not all secrets were written")


async def _vault_token(container: Container) -> str:
    """Raises _Stop, VaultUnreachable."""
    address = container.env["VAULT_ADDR"]
    body = {"role": container.env["VAULT_ROLE"], "jwt": container.files[f"{ACCOUNT_FILES}/token"]}
    try:
        async with Vault(address) as vault:
            login: dict[str, Any] = await vault.call("PUT", "auth/kubernetes/login", body)
    except VaultRefused as error:
        raise _Stop(_told(address, "auth/kubernetes/login", error)) from error
    return str(login["auth"]["client_token"])


def _told(address: str, path: str, error: VaultRefused) -> str:
    listed = "".join(f" * {one}" for one in error.errors)
    return f"PUT {address}/v1/{path}: Code: {error.status}. Errors:{listed}"


async def _publish(container: Container, secrets: dict[str, str]) -> None:
    """Digests of what was written, in a ConfigMap. Raises _Stop."""
    env, files = container.env, container.files
    name = env["DIGESTS_CONFIG_MAP"]
    url = (
        f"https://{env['KUBERNETES_SERVICE_HOST']}:{env['KUBERNETES_SERVICE_PORT']}"
        f"/api/v1/namespaces/{files[f'{ACCOUNT_FILES}/namespace']}/configmaps/{name}"
    )
    context = ssl.create_default_context(cadata=files[f"{ACCOUNT_FILES}/ca.crt"])
    headers = {
        "Authorization": f"Bearer {files[f'{ACCOUNT_FILES}/token']}",
        "Content-Type": "application/merge-patch+json",
    }
    digests = {client_id: hashlib.sha256(one.encode()).hexdigest() for client_id, one in secrets.items()}
    body = json.dumps({"data": digests})
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.patch(url, headers=headers, data=body, ssl=context) as answer,
        ):
            found = await answer.json()
    except aiohttp.ClientError as error:
        raise _Stop(f"Unable to connect to the server: {type(error).__name__}") from error
    if answer.status != 200:
        raise _Stop(f"Error from server ({found['reason']}): {found['message']}")
    container.print(f"Digests published: {name}")
