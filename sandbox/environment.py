"""What a program needs in its environment to take the sandbox for Azure; written as shell exports."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

CHANNEL_STAND_IN: Final = "facts.update: workflow"
VAULT_STAND_INS: Final = {"dev": "http://127.0.0.1:8200", "prod": "http://127.0.0.1:8201"}
"""What the sandbox's landscape names in the place of each environment's Vault, whose port may be any."""
WEB_STAND_INS: Final[Mapping[tuple[str, str], str]] = {
    ("dev", "keycloak"): "https://127.0.0.1:8443",
    ("dev", "gitlab"): "https://127.0.0.1:8444",
    ("prod", "keycloak"): "https://127.0.0.1:8453",
    ("prod", "gitlab"): "https://127.0.0.1:8454",
}
"""The same of what browsers open, by environment and service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    name: str
    value: str
    about: str
    """One line for the reader of the file."""
    for_app: bool = True
    """False for what a deployed app would not have: the operator's means, the sandbox's controls."""


def of_cloud(cloud: Mapping[str, Any], connection_string: str, landscape: Path) -> list[Variable]:
    """From `cloud.json` and the storage account."""
    url, ca = cloud["cloud"], cloud["ca"]
    operator, github = cloud["operator"], cloud["github"]
    return [
        Variable(name="RECONVERGE_ARM_ENDPOINT", value=url, about="Azure Resource Manager"),
        Variable(name="AZURE_AUTHORITY_HOST", value=url, about="Entra"),
        Variable(
            name="REQUESTS_CA_BUNDLE", value=ca, about="Whom to trust: clients built on requests, and az"
        ),
        Variable(name="SSL_CERT_FILE", value=ca, about="Whom to trust: clients built on ssl's defaults"),
        Variable(
            name="AZURE_CORE_INSTANCE_DISCOVERY",
            value="false",
            about="az: do not ask Microsoft about an authority it does not know",
        ),
        Variable(name="AZURE_TENANT_ID", value=cloud["tenant"], about="The only tenant"),
        Variable(name="AZURE_SUBSCRIPTION_ID", value=cloud["subscription"], about="The only subscription"),
        Variable(
            name="SANDBOX_OPERATOR_CLIENT_ID",
            value=operator["client_id"],
            about="Service principal that may do everything, for `az login --service-principal`",
            for_app=False,
        ),
        Variable(
            name="SANDBOX_OPERATOR_CLIENT_SECRET",
            value=operator["secret"],
            about="Its secret; not AZURE_CLIENT_SECRET, or SDKs would prefer it to the identity",
            for_app=False,
        ),
        Variable(
            name="IDENTITY_ENDPOINT",
            value=cloud["identity_endpoint"],
            about="Managed identity, as App Service offers it",
        ),
        Variable(name="IDENTITY_HEADER", value=cloud["identity_header"], about="Proves to be on the machine"),
        Variable(name="AZURE_CLIENT_ID", value=cloud["app"]["client_id"], about="The app's own identity"),
        Variable(
            name="AZURE_KEYVAULT_URL",
            value=cloud["vaults"]["ameidekv"],
            about="The platform's key vault, as SDK samples and most tools name it",
            for_app=False,
        ),
        Variable(
            name="KUBECONFIG", value=cloud["kubeconfig"], about="The clusters, as the operator", for_app=False
        ),
        Variable(name="RECONVERGE_GITHUB_URL", value=github["url"], about="Git repositories"),
        Variable(name="RECONVERGE_GITHUB_API_URL", value=github["api"], about="GitHub's REST API"),
        Variable(name="RECONVERGE_GITHUB_TOKEN", value=github["token"], about="The app's token there"),
        Variable(
            name="SANDBOX_GITHUB_TOKEN",
            value=github["operator_token"],
            about="A reviewer's token there: may push and merge",
            for_app=False,
        ),
        Variable(name="GIT_SSL_CAINFO", value=ca, about="Whom to trust: git", for_app=False),
        *(
            Variable(
                name=f"SANDBOX_VAULT_TOKEN_{name.upper()}",
                value=held["root_token"],
                about=f"May do everything in the Vault of {name}, {held['address']}",
                for_app=False,
            )
            for name, held in cloud["openbao"].items()
        ),
        Variable(
            name="RECONVERGE_ARGOCD_TOKEN",
            value=cloud["notifications"]["token"],
            about="What Argo CD's notifications come with",
        ),
        Variable(name="AzureWebJobsStorage", value=connection_string, about="Queues, tables and blobs"),
        Variable(name="RECONVERGE_LANDSCAPE", value=str(landscape), about="What the sandbox declares"),
        Variable(
            name="SANDBOX_URL", value=url, about="The sandbox's own controls, below /_sandbox", for_app=False
        ),
        Variable(
            name="SANDBOX_CONTROL_KEY",
            value=cloud["control_key"],
            about="Their key, in the header x-sandbox-key",
            for_app=False,
        ),
    ]


def of_app(url: str, key: str, sweep: str) -> list[Variable]:
    return [
        Variable(name="RECONVERGE_SWEEP", value=sweep, about="When the app looks at everything"),
        Variable(name="RECONVERGE_APP_URL", value=url, about="The app", for_app=False),
        Variable(
            name="RECONVERGE_APP_KEY",
            value=key,
            about="Its function key, in the header x-functions-key",
            for_app=False,
        ),
    ]


class Channel(StrEnum):
    """How the sandbox's contract lets published facts be brought right."""

    WORKFLOW = "workflow"
    PULL_REQUEST = "pull-request"


def write_landscape(
    path: Path,
    template: Path,
    vaults: Mapping[str, str],
    web: Mapping[str, Mapping[str, str]],
    channel: Channel,
) -> None:
    """The landscape with the addresses that the environments' Vaults and web sites have, and the channel for
    facts. Addresses are by environment, those of web sites by service then.
    """
    text = template.read_text(encoding="utf-8").replace(CHANNEL_STAND_IN, f"facts.update: {channel.value}")
    for name, address in vaults.items():
        text = text.replace(VAULT_STAND_INS[name], address)
    for (name, service), stand_in in WEB_STAND_INS.items():
        text = re.sub(rf"{re.escape(stand_in)}(?![0-9])", web[name][service], text)
    write_private(path, text)


def write(path: Path, variables: list[Variable]) -> None:
    """For `source`. Readable by its owner only: it holds keys."""
    lines = [f"# {one.about}\nexport {one.name}={shlex.quote(one.value)}\n" for one in variables]
    write_private(path, "".join(lines))


def write_private(path: Path, text: str) -> None:
    """Replace the file at once, and never be readable by others."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
