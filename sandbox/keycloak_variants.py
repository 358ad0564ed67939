"""What may be wrong with an environment's Keycloak, one function for each.

Those of the Jobs' order begin as a rebuild does: without the automation client, and with nothing that the
patcher brings. They change values in Git, so Argo CD syncs; nothing shows while it cannot render.
"""

import asyncio
import io
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

from ruamel.yaml import YAML

from sandbox.argo_controller import NAMESPACE
from sandbox.argo_operations import TERMINATING
from sandbox.argo_sync import RUNNING
from sandbox.cron_jobs import outcome
from sandbox.gitops import REALM as CHART
from sandbox.gitops import application_of, values_file
from sandbox.keycloak import MASTER, Realm, new_secret
from sandbox.keycloak_names import (
    ACCOUNT,
    AUTOMATION,
    BOOTSTRAP,
    CLIENTS_SECRET,
    DIGESTS,
    PATCHER,
    PROVIDER_SECRET,
    REALM,
    VAULT_KEYS,
)
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import (
    APPLICATIONS,
    CONFIG_MAPS,
    EXTERNAL_SECRETS,
    JOBS,
    REALM_IMPORTS,
    Resource,
)
from sandbox.manifests import namespace_of
from sandbox.runtime_facts import BRANCH, GITOPS
from sandbox.stages import Stage, Variant
from sandbox.vault_bootstrap import FIELD, MOUNT
from sandbox.vault_http import Vault, VaultRefused

type Json = dict[str, Any]

CLIENT: Final = "gitlab"
"""The one that loses something."""
DENIED: Final = "oidc-gitlab-client-secret"
"""A key of Vault that the patcher may not write."""
PLACEHOLDER: Final = "keycloak_generated_placeholder"
"""What fixtures hold in the place of a client's secret."""
_LOOKS: Final = 600
_LOOK_SECONDS: Final = 0.05
_IMPORT: Final = f"{REALM}-realm"


# -- the order of the Jobs ------------------------------------------------------------------


async def patcher_before_bootstrap(stage: Stage) -> None:
    """The values in Git have the master bootstrap run after the sync, and so after the client patcher."""
    await _rebuild(stage, lambda values: values["masterBootstrap"].update(hook="PostSync"))


async def bootstrap_without_hook(stage: Stage) -> None:
    """The values in Git make no hook of the master bootstrap, so Kubernetes runs it once and never again."""
    await _rebuild(stage, lambda values: values["masterBootstrap"].update(hook=""))


async def bootstrap_wave_late(stage: Stage) -> None:
    """The values in Git put the master bootstrap into a later wave than the client patcher."""
    await _rebuild(stage, lambda values: values["masterBootstrap"].update(syncWave="3"))


async def bootstrap_too_late(stage: Stage) -> None:
    """The automation client is gone, and people ran the patcher again, and only then the master bootstrap."""
    _remove(stage.keycloak.realms[MASTER], AUTOMATION)
    _again(stage, PATCHER)
    for _ in range(_LOOKS):
        if _over(stage, PATCHER):
            break
        await asyncio.sleep(_LOOK_SECONDS)
    # Kubernetes tells times in whole seconds, and in one and the same nobody comes first.
    await asyncio.sleep(1)
    _again(stage, BOOTSTRAP)


# -- the patcher ----------------------------------------------------------------------------


async def patcher_refused(stage: Stage) -> None:
    """The automation client lost its role, and the patcher, run again, is refused with 403."""
    stage.keycloak.realms[MASTER].accounts[AUTOMATION] = frozenset()
    _again(stage, PATCHER)


async def patcher_denied_by_vault(stage: Stage) -> None:
    """Vault's policy has no path for the patcher any more, which, run again, gets 403 from Vault."""
    async with _vault(stage) as vault:
        await vault.call("POST", f"sys/policies/acl/{ACCOUNT}", {"policy": "# nothing"})
        _again(stage, PATCHER)
        # Vault's own bootstrap brings the policy back on schedule, maybe before the patcher has come so far.
        for _ in range(_LOOKS):
            if _over(stage, PATCHER):
                return
            await vault.call("POST", f"sys/policies/acl/{ACCOUNT}", {"policy": "# nothing"})
            await asyncio.sleep(_LOOK_SECONDS)


async def vault_key_absent(stage: Stage) -> None:
    """The patcher said that it wrote a client's secret, and Vault does not have it."""
    async with _vault(stage) as vault:
        await vault.call("DELETE", f"{MOUNT}/metadata/{VAULT_KEYS[CLIENT]}")


async def hook_deleted(stage: Stage) -> None:
    """The values in Git name a key that Vault denies the patcher, and have it deleted once it has failed."""

    def change(values: Json) -> None:
        patcher = values["clientPatcher"]
        patcher["hookDeletePolicy"] = "BeforeHookCreation,HookFailed"
        patcher["clients"] = {CLIENT: {"vaultKey": DENIED}}

    await _change(stage, change)


# -- clients --------------------------------------------------------------------------------


async def client_missing(stage: Stage) -> None:
    """Somebody deleted a client of the realm."""
    _remove(stage.keycloak.realms[REALM], CLIENT)


async def client_skipped(stage: Stage) -> None:
    """A client is not in the realm, and the values in Git let the patcher make none: it skips it."""
    _remove(stage.keycloak.realms[REALM], CLIENT)

    def change(values: Json) -> None:
        values["clientPatcher"]["clientReconciliation"] = {"enabled": False}

    await _change(stage, change)


async def redirect_missing(stage: Stage) -> None:
    """A client has no redirect URI any more."""
    _client(stage)["redirectUris"] = []


async def redirect_different(stage: Stage) -> None:
    """A client's redirect URI is not the declared one: its path has another ending."""
    client = _client(stage)
    client["redirectUris"] = [f"{uri}s" for uri in client["redirectUris"]]


# -- secrets --------------------------------------------------------------------------------


async def secret_absent(stage: Stage) -> None:
    """A Secret that must be there is gone, together with the ExternalSecret that made it."""
    _delete(stage, EXTERNAL_SECRETS, PROVIDER_SECRET)


async def secret_placeholder(stage: Stage) -> None:
    """A fixture has taken the place of a client's secret in Vault, and the Secrets follow."""
    await _overwrite(stage, PLACEHOLDER)


async def digest_differs(stage: Stage) -> None:
    """A client's secret in Vault is not the one whose digest the patcher published."""
    await _overwrite(stage, new_secret())


# -- imports, and Keycloak itself -----------------------------------------------------------


async def import_failed(stage: Stage) -> None:
    """The realm is gone, and its import, made anew, has a client without an id."""

    def change(spec: Json) -> None:
        spec["realm"]["clients"].append({"name": "nobody"})

    _import_again(stage, change)


async def import_stuck(stage: Stage) -> None:
    """The realm is gone, and its import, made anew, waits for a Secret that nobody makes."""

    def change(spec: Json) -> None:
        for source in spec["placeholders"].values():
            source["secret"]["name"] += "-missing"

    _import_again(stage, change)


async def login_refused(stage: Stage) -> None:
    """Reconverge's own client got another secret, so Keycloak lets it in no more."""
    client = stage.keycloak.realms[REALM].find("reconverge")
    if client is not None:
        client["secret"] = new_secret()


async def unreachable(stage: Stage) -> None:
    """No pod of Keycloak is ready, until the cluster is rebuilt."""
    stage.keycloak.stopped = True


VARIANTS: Final[Mapping[str, Variant]] = {
    "keycloak-patcher-before-bootstrap": patcher_before_bootstrap,
    "keycloak-bootstrap-without-hook": bootstrap_without_hook,
    "keycloak-bootstrap-wave-late": bootstrap_wave_late,
    "keycloak-bootstrap-too-late": bootstrap_too_late,
    "keycloak-patcher-refused": patcher_refused,
    "keycloak-patcher-denied-by-vault": patcher_denied_by_vault,
    "keycloak-vault-key-absent": vault_key_absent,
    "keycloak-hook-deleted": hook_deleted,
    "keycloak-client-missing": client_missing,
    "keycloak-client-skipped": client_skipped,
    "keycloak-redirect-missing": redirect_missing,
    "keycloak-redirect-different": redirect_different,
    "keycloak-secret-absent": secret_absent,
    "keycloak-secret-placeholder": secret_placeholder,
    "keycloak-digest-differs": digest_differs,
    "keycloak-import-failed": import_failed,
    "keycloak-import-stuck": import_stuck,
    "keycloak-login-refused": login_refused,
    "keycloak-unreachable": unreachable,
}


# -- how ------------------------------------------------------------------------------------


async def _rebuild(stage: Stage, change: Callable[[Json], object]) -> None:
    """Begin anew, with other values in Git. What is not there at all yet is no reason to fail, and a sync of
    the values before, which may still wait for Keycloak, is terminated.
    """
    for name in (BOOTSTRAP, PATCHER):
        _delete(stage, JOBS, name)
    for name in (CLIENTS_SECRET, PROVIDER_SECRET):
        _delete(stage, EXTERNAL_SECRETS, name)
    _forget(stage)
    async with _vault(stage) as vault:
        for key in VAULT_KEYS.values():
            try:
                await vault.call("DELETE", f"{MOUNT}/metadata/{key}")
            except VaultRefused as refused:
                # A Vault that was not configured yet has no such mount.
                if refused.status != 404:
                    raise
    await _terminate(stage, await _change(stage, change))


async def _terminate(stage: Stage, commit: str) -> None:
    """Whatever brings another commit, as `argocd app terminate-op` does, and wait until it has ended."""
    for _ in range(_LOOKS):
        held = stage.objects.get(APPLICATIONS, NAMESPACE, application_of(CHART, stage.environment)) or {}
        if held.get("operation", {}).get("sync", {}).get("revision", commit) == commit:
            return
        state = (held.get("status") or {}).get("operationState") or {}
        # One that is about to begin has nothing yet that could be stopped.
        if state.get("phase") == RUNNING:
            held["status"]["operationState"] = {**state, "phase": TERMINATING}
            stage.objects.replace(APPLICATIONS, held)
        await asyncio.sleep(_LOOK_SECONDS)


def _forget(stage: Stage) -> None:
    """Digests, automation client and redirect URIs."""
    held = stage.objects.get(CONFIG_MAPS, namespace_of(stage.environment), DIGESTS)
    if held is not None:
        held.pop("data", None)
        stage.objects.replace(CONFIG_MAPS, held)
    if master := stage.keycloak.realms.get(MASTER):
        _remove(master, AUTOMATION)
    if realm := stage.keycloak.realms.get(REALM):
        for client_id in VAULT_KEYS:
            if client := realm.find(client_id):
                client["redirectUris"] = []


async def _change(stage: Stage, change: Callable[[Json], object]) -> str:
    """Of the environment's values in Git, whose comments stay. Answers the commit."""
    path, yaml = values_file(CHART, stage.environment), YAML()
    yaml.preserve_quotes = True
    document = yaml.load(await stage.forge.read(GITOPS, BRANCH, path))
    change(document)
    written = io.StringIO()
    yaml.dump(document, written)
    said = f"Change the values of Keycloak's realm in {stage.environment}"
    return await stage.forge.commit(GITOPS, BRANCH, {path: written.getvalue()}, said)


async def _overwrite(stage: Stage, value: str) -> None:
    async with _vault(stage) as vault:
        await vault.call("POST", f"{MOUNT}/data/{VAULT_KEYS[CLIENT]}", {"data": {FIELD: value}})


def _vault(stage: Stage) -> Vault:
    return Vault(stage.vault.address, stage.vault.root_token)


def _client(stage: Stage) -> Json:
    client = stage.keycloak.realms[REALM].find(CLIENT)
    if client is None:
        raise ValueError(f"the realm has no client {CLIENT}")
    return client


def _remove(realm: Realm, client_id: str) -> None:
    if client := realm.find(client_id):
        del realm.clients[client["id"]]
        realm.accounts.pop(client_id, None)


def _again(stage: Stage, name: str) -> None:
    """Let the Job run again, as if it was deleted and made from what Argo CD had applied."""
    held = _taken(stage, JOBS, name)
    held["spec"].pop("selector", None)
    stage.objects.create(JOBS, held)


def _over(stage: Stage, name: str) -> bool:
    held = stage.objects.get(JOBS, namespace_of(stage.environment), name)
    return held is None or bool(outcome(held))


def _import_again(stage: Stage, change: Callable[[Json], None]) -> None:
    stage.keycloak.realms.pop(REALM, None)
    held = _taken(stage, REALM_IMPORTS, _IMPORT)
    change(held["spec"])
    stage.objects.create(REALM_IMPORTS, held)


def _taken(stage: Stage, resource: Resource, name: str) -> Object:
    """The object, deleted: what its makers have said of it. Raises ValueError where it is not there."""
    held = stage.objects.get(resource, namespace_of(stage.environment), name)
    if held is None:
        raise ValueError(f"there is no {resource.kind} {name} in {namespace_of(stage.environment)}")
    _delete(stage, resource, name)
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {field: held["metadata"][field] for field in kept if field in held["metadata"]}
    return {**deepcopy(held), "metadata": metadata, "status": {}}


def _delete(stage: Stage, resource: Resource, name: str) -> None:
    namespace = namespace_of(stage.environment)
    if stage.objects.get(resource, namespace, name) is not None:
        stage.objects.delete(resource, namespace, name)
