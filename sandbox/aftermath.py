"""What a rebuild leaves behind beside a dead issuer: facts that were published from a wrong state.

As it happened to the platform: it moved to a new subscription with a new state of Terraform, and the run that
publishes facts read the old one. So the facts name what the old subscription has under the same names, whose
identity trusts an issuer that is gone: AADSTS700211, whatever is repaired in the new one.
"""

import uuid
from dataclasses import dataclass
from typing import Final

from sandbox import platform, runtime_facts
from sandbox.cloud import Cloud
from sandbox.forge import Forge
from sandbox.records import Credential, Identity
from sandbox.runtime_facts import Values

SUBSCRIPTION: Final = "68ba6806-178c-41f1-84ec-d7a839799be1"
"""The platform's old one. ARM shows it to nobody here; Entra knows its identities all the same."""
KEY_VAULT_URI: Final = "https://ameidekvold.vault.azure.net/"
ADDRESSES: Final = {"dev": "20.61.9.4", "prod": "20.61.9.5"}


@dataclass(frozen=True, slots=True)
class Aftermath:
    cloud: Cloud
    forge: Forge

    async def publish_old_state(self, issuer: str | None) -> None:
        """issuer: the one that goes; the old subscription's identity trusts it.

        Its ids are new each time, since no two rebuilds go wrong in exactly the same way.
        """
        old = {environment: self._keep(environment, issuer or "") for environment in platform.ENVIRONMENTS}
        files = {
            runtime_facts.path(environment): runtime_facts.written(
                self.cloud,
                environment,
                Values(
                    subscription=SUBSCRIPTION,
                    address=ADDRESSES[environment],
                    dns_client_id=str(uuid.uuid4()),
                    dns_principal_id=str(uuid.uuid4()),
                    key_vault_uri=KEY_VAULT_URI,
                    bootstrap_client_id=identity.client_id,
                ),
            )
            for environment, identity in old.items()
        }
        await self.forge.commit(
            runtime_facts.FACTS, runtime_facts.BRANCH, files, "Publish runtime facts (state: azure.tfstate)"
        )

    def _keep(self, environment: str, issuer: str) -> Identity:
        trust = next(one for one in platform.TRUSTS if one.name == f"vault-bootstrap-{environment}")
        credential = Credential(
            name=trust.name, issuer=issuer, subject=trust.subject, audience=platform.AUDIENCE
        )
        identity = Identity(
            subscription=SUBSCRIPTION,
            group=platform.GROUP,
            name=f"{trust.identity}-{environment}",
            location=platform.LOCATION,
            client_id=str(uuid.uuid4()),
            principal_id=str(uuid.uuid4()),
            credentials={credential.name: credential},
        )
        self.cloud.identities.put(identity.id, identity, self.cloud.clock())
        return identity
