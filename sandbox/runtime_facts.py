"""The platform's runtime facts, and what publishes them: a workflow of CI, as after a Terraform apply."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox import platform
from sandbox.cloud import Cloud
from sandbox.forge import Forge, NoRepositoryError
from sandbox.forge_records import Dispatch, Grants, Job, Level, Permission

FACTS: Final = "ameideio/ameide-runtime-facts"
GITOPS: Final = "ameideio/ameide-gitops"
BACKLOG: Final = "ameideio/ameide-backlog"
WORKFLOW: Final = "terraform-azure-apply.yaml"
BRANCH: Final = "main"
FOLDERS: Final[Mapping[str, str]] = {"dev": "dev", "prod": "production"}
"""Folder of each environment below `runtime-facts/env`."""

_WORKFLOW_TEXT: Final = """\
# Applies Terraform to Azure, then publishes what came of it as runtime facts.
name: Terraform Azure apply

on:
  workflow_dispatch:
    inputs:
      environment:
        description: Whose facts to publish; all of them if empty
        type: choice
        options: ["", dev, prod]
        default: ""

jobs:
  apply:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: infra/scripts/sync-globals.sh
"""
_README: Final = """\
# ameide-gitops

What Argo CD deploys, and the workflows that build what it deploys to.
"""
_FACTS_README: Final = """\
# ameide-runtime-facts

Published by CI after each Terraform apply. Do not edit by hand.
"""


def path(environment: str) -> str:
    """The environment's file in the repository of facts."""
    return f"runtime-facts/env/{FOLDERS[environment]}/globals.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What differs between two platforms of the same environment. Empty: the cloud has no such thing."""

    subscription: str
    address: str
    dns_client_id: str
    dns_principal_id: str
    key_vault_uri: str
    bootstrap_client_id: str


def published(cloud: Cloud, environment: str) -> str:
    """The environment's facts as the cloud has them now."""
    identities = {
        held.name: held
        for held in cloud.identities.all(cloud.clock())
        if held.subscription == cloud.subscription
    }
    addresses = {held.name: held.address for held in cloud.addresses.all(cloud.clock())}
    vaults = {held.name: held.uri for held in cloud.vaults.all(cloud.clock())}
    trusted = {trust.name: identities.get(trust.identity) for trust in platform.TRUSTS}
    dns = trusted[f"ameide-{environment}-cert-manager"]
    bootstrap = trusted[f"vault-bootstrap-{environment}"]
    return written(
        cloud,
        environment,
        Values(
            subscription=cloud.subscription,
            address=addresses.get(f"ameide-{environment}-envoy-pip", ""),
            dns_client_id=dns.client_id if dns else "",
            dns_principal_id=dns.principal_id if dns else "",
            key_vault_uri=vaults.get(platform.VAULT, ""),
            bootstrap_client_id=bootstrap.client_id if bootstrap else "",
        ),
    )


def written(cloud: Cloud, environment: str, values: Values) -> str:
    """The file as the workflow writes it."""
    return f"""\
# Runtime facts of {environment}. Published by {WORKFLOW} of {GITOPS}.
global:
  ameide:
    environment: {environment}
    cluster:
      type: azure
      name: {platform.CLUSTER}

azure:
  # Where all of it lives.
  tenantId: "{cloud.tenant}"
  subscriptionId: "{values.subscription}"
  resourceGroup: {platform.GROUP}
  location: {cloud.location}

  # The gateway's address; DNS points at it.
  envoyPublicIpAddress: "{values.address}"

  # cert-manager proves domains with this identity. Empty where DNS is switched off.
  dnsManagedIdentityClientId: "{values.dns_client_id}"
  dnsManagedIdentityPrincipalId: "{values.dns_principal_id}"

  # Vault is seeded from here, by the bootstrap's identity.
  keyVaultUri: "{values.key_vault_uri}"
  vaultBootstrapIdentityClientId: '{values.bootstrap_client_id}'  # not the principal's id
"""


async def read(forge: Forge, environment: str) -> str | None:
    """What is published of the environment; None while there is nothing."""
    try:
        return await forge.read(FACTS, BRANCH, path(environment))
    except NoRepositoryError:
        return None


async def seed(forge: Forge, cloud: Cloud) -> None:
    """Both repositories as they are after a good apply, with the workflow that publishes."""
    facts = {path(environment): published(cloud, environment) for environment in FOLDERS}
    await forge.create(FACTS, {"README.md": _FACTS_README, **facts})
    await forge.create(GITOPS, {"README.md": _README, f".github/workflows/{WORKFLOW}": _WORKFLOW_TEXT})
    forge.add_workflow(GITOPS, WORKFLOW, _publishing(forge, cloud))


def tokens(forge: Forge) -> dict[str, str]:
    """New ones: for the app, with no more than what its channels need, and for a person who reviews."""
    app: Grants = {
        FACTS: {"contents": "write", "pull_requests": "write"},
        GITOPS: {"actions": "write", "contents": "write", "pull_requests": "write"},
        BACKLOG: {"contents": "write"},
    }
    everything: Mapping[Permission, Level] = {
        "contents": "write",
        "pull_requests": "write",
        "issues": "write",
        "actions": "write",
    }
    return {
        "token": forge.issue("reconverge", app),
        "operator_token": forge.issue(
            "reviewer", {FACTS: everything, GITOPS: everything, BACKLOG: everything}
        ),
    }


def _publishing(forge: Forge, cloud: Cloud) -> Job:
    async def publish(dispatch: Dispatch) -> bool:
        asked = dispatch.inputs.get("environment", "")
        facts = {path(one): published(cloud, one) for one in FOLDERS if asked in ("", one)}
        await forge.commit(FACTS, BRANCH, facts, "Publish runtime facts")
        return True

    return publish
