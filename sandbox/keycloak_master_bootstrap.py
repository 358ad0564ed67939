"""What the Job master-bootstrap runs: as Keycloak's first admin it makes the client of all automation.

That client is one of realm master, with the role admin. Without it nobody but the first admin may write.
"""

from sandbox.keycloak_calls import KeycloakCalls, KeycloakRefused, KeycloakUnavailable
from sandbox.kubelet import TRUSTED_FILE, Container

_CLIENTS = "/admin/realms/master/clients"


async def run(container: Container) -> int:
    env = container.env
    async with KeycloakCalls(env["KEYCLOAK_URL"], container.files[TRUSTED_FILE]) as keycloak:
        try:
            form = {
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": env["BOOTSTRAP_USERNAME"],
                "password": env["BOOTSTRAP_PASSWORD"],
            }
            await keycloak.log_in("master", form, container.print)
            await _ensure(keycloak, env["ADMIN_CLIENT_ID"], env["ADMIN_CLIENT_SECRET"])
        except (KeycloakRefused, KeycloakUnavailable) as error:
            container.print(f"ERROR: {error}")
            return 1
    container.print(f"client {env['ADMIN_CLIENT_ID']} of realm master has the role admin")
    container.print("master-bootstrap: done")
    return 0


async def _ensure(keycloak: KeycloakCalls, client_id: str, secret: str) -> None:
    """Raises KeycloakRefused, KeycloakUnavailable."""
    wanted = {
        "clientId": client_id,
        "secret": secret,
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
    }
    found = await keycloak.call("GET", f"{_CLIENTS}?clientId={client_id}")
    if found:
        await keycloak.call("PUT", f"{_CLIENTS}/{found[0]['id']}", {**found[0], **wanted})
    else:
        await keycloak.call("POST", _CLIENTS, wanted)
        found = await keycloak.call("GET", f"{_CLIENTS}?clientId={client_id}")
    account = await keycloak.call("GET", f"{_CLIENTS}/{found[0]['id']}/service-account-user")
    role = await keycloak.call("GET", "/admin/realms/master/roles/admin")
    await keycloak.call("POST", f"/admin/realms/master/users/{account['id']}/role-mappings/realm", [role])
