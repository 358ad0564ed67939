"""What operators search for and docs/reasons.md is indexed by.

A code is public. It may be retired, its page kept; it never gets a second meaning.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Final

from shared.model import Severity
from shared.world import Leads, ReasonInfo, finding_of


class Reason(StrEnum):
    SEEDING_UNREAD = "SeedingUnread"
    KEY_VAULT_MISSING = "KeyVaultMissing"
    KEY_VAULT_ELSEWHERE = "KeyVaultElsewhere"
    SECRET_MISSING = "SecretMissing"  # noqa: S105 (a code, not a secret; so below)
    SECRET_DISABLED = "SecretDisabled"  # noqa: S105
    SECRET_EXPIRED = "SecretExpired"  # noqa: S105
    SECRET_NOT_YET_VALID = "SecretNotYetValid"  # noqa: S105
    SECRET_IS_PLACEHOLDER = "SecretIsPlaceholder"  # noqa: S105
    VAULT_UNINITIALISED = "VaultUninitialised"
    VAULT_SEALED = "VaultSealed"
    VAULT_LOGIN_REFUSED = "VaultLoginRefused"
    BOOTSTRAP_MISSING = "BootstrapMissing"
    BOOTSTRAP_SUSPENDED = "BootstrapSuspended"
    BOOTSTRAP_NEVER_SUCCEEDED = "BootstrapNeverSucceeded"
    BOOTSTRAP_OVERDUE = "BootstrapOverdue"
    BOOTSTRAP_UNDER_WAY = "BootstrapUnderWay"
    BOOTSTRAP_HANGS = "BootstrapHangs"
    BOOTSTRAP_IN_VAIN = "BootstrapInVain"
    BOOTSTRAP_IDENTITY_REFUSED = "BootstrapIdentityRefused"
    BOOTSTRAP_IDENTITY_UNKNOWN = "BootstrapIdentityUnknown"
    BOOTSTRAP_REFUSED_BY_ENTRA = "BootstrapRefusedByEntra"
    BOOTSTRAP_ROLE_MISSING = "BootstrapRoleMissing"
    BOOTSTRAP_LACKS_SECRET = "BootstrapLacksSecret"  # noqa: S105
    BOOTSTRAP_TOKEN_FILE_MISSING = "BootstrapTokenFileMissing"  # noqa: S105
    BOOTSTRAP_MET_SEALED_VAULT = "BootstrapMetSealedVault"
    BOOTSTRAP_DENIED_BY_VAULT = "BootstrapDeniedByVault"
    BOOTSTRAP_AUDIENCE_REFUSED = "BootstrapAudienceRefused"
    BOOTSTRAP_UNREACHABLE = "BootstrapUnreachable"
    SEED_MISSING = "SeedMissing"
    SEED_IS_PLACEHOLDER = "SeedIsPlaceholder"
    SEED_FIGHT = "SeedFight"
    SEED_BEHIND = "SeedBehind"
    SEED_DIFFERS = "SeedDiffers"
    SEED_DELETED = "SeedDeleted"
    SEED_WITHOUT_VALUE = "SeedWithoutValue"
    EXTERNAL_SECRETS_NOT_SERVED = "ExternalSecretsNotServed"
    STORE_MISSING = "StoreMissing"
    STORE_NOT_READY = "StoreNotReady"
    STORE_UNPROVEN = "StoreUnproven"
    STORE_UNTRIED = "StoreUntried"
    STORE_NEVER_TRIED = "StoreNeverTried"
    EXTERNAL_SECRET_MISSING = "ExternalSecretMissing"  # noqa: S105
    EXTERNAL_SECRET_NOT_READY = "ExternalSecretNotReady"  # noqa: S105
    REFRESHING = "Refreshing"
    REFRESH_IN_VAIN = "RefreshInVain"


_STARTED: Final = "Reconverge starts it from its CronJob where the contract allows vault.bootstrap."
_SEEDED: Final = "Reconverge writes it by check-and-set where the contract allows vault.seed."
_REFRESHED: Final = "Reconverge refreshes it by annotation where the contract allows secrets.refresh."
_PUT_THERE: Final = (
    "Put a usable version into Key Vault (`az keyvault secret set`), or let its pipeline do it."
)
_NOTHING: Final = "Nothing: Reconverge looks again."


def _person(means: str, remedy: str, *, symptom: bool = False) -> ReasonInfo:
    return ReasonInfo(Leads.PERSON, Severity.ERROR, means, remedy, symptom)


def _repair(means: str, remedy: str) -> ReasonInfo:
    """Each may come from a credential or a fact that is wrong: that is mended first."""
    return ReasonInfo(Leads.REPAIR, Severity.ERROR, means, remedy, symptom=True)


REASONS: Final[Mapping[str, ReasonInfo]] = {
    Reason.SEEDING_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "A value that the verdict rests on could not be read. There is no verdict on it and no write.",
        "Look at the system and code in the message. 403 ForbiddenByRbac: give the app's identity Key Vault "
        "Secrets User on this Key Vault. 403 of the API server: deploy/kubernetes holds the role that it "
        "needs. Not reached: the app needs a way into the network of a private cluster, Vault or Key Vault. "
        "429 and 5xx pass by themselves.",
    ),
    # -- Key Vault
    Reason.KEY_VAULT_MISSING: _person(
        "ARM knows no Key Vault of the declared id.",
        "Let Terraform create it (a deleted one of that name may have to be recovered), or correct the id.",
    ),
    Reason.KEY_VAULT_ELSEWHERE: _person(
        "The Key Vault lies in another subscription than the cluster: the pointer to it is what is stale. "
        "Seeding from it would bind the cluster to the old platform.",
        "Correct keyVault in the landscape, and azure.keyVaultUri in the published runtime facts.",
    ),
    Reason.SECRET_MISSING: _person("A required secret is not in Key Vault.", _PUT_THERE),
    Reason.SECRET_DISABLED: _person("The newest version of a required secret is disabled.", _PUT_THERE),
    Reason.SECRET_EXPIRED: _person("A required secret is past its expiry date.", _PUT_THERE),
    Reason.SECRET_NOT_YET_VALID: _person(
        "A required secret is not valid before a date that is still to come.", _PUT_THERE
    ),
    Reason.SECRET_IS_PLACEHOLDER: _person(
        "What Key Vault holds is a fixture value, so seeding it would only look like a repair.", _PUT_THERE
    ),
    # -- Vault
    Reason.VAULT_UNINITIALISED: _person(
        "Vault was never initialised: a new, empty one.",
        "The bootstrap initialises it where it runs in that mode; otherwise it is an incident. Reconverge "
        "never initialises a Vault, since that shows the root token.",
    ),
    Reason.VAULT_SEALED: _person(
        "Vault is sealed, whatever its pod's readiness says.",
        "Unseal it, or see why auto-unseal or the bootstrap did not. Reconverge never unseals and never "
        "sees a root token.",
    ),
    Reason.VAULT_LOGIN_REFUSED: _person(
        "Vault answers, and refuses the login of Reconverge's own identity, so what it holds is not known.",
        "See the auth method at vault.login: issuer and keys of Entra, and the role, which binds audience "
        "and the app's object id. A Vault that was made anew lacks it until it is added again.",
        symptom=True,
    ),
    # -- the bootstrap
    Reason.BOOTSTRAP_MISSING: _person(
        "The namespace has no CronJob of the declared name.",
        "Sync the Argo CD application that deploys it, or correct vault.bootstrap.cronJob.",
    ),
    Reason.BOOTSTRAP_SUSPENDED: _person(
        "Somebody suspended the CronJob, so nothing seeds Vault any more.",
        "Resume it in Git when the reason is gone.",
    ),
    Reason.BOOTSTRAP_NEVER_SUCCEEDED: _repair(
        "The CronJob should have succeeded several times by its schedule, and never has.", _STARTED
    ),
    Reason.BOOTSTRAP_OVERDUE: _repair(
        "The CronJob's last success is several of its scheduled runs ago.", _STARTED
    ),
    Reason.BOOTSTRAP_UNDER_WAY: ReasonInfo(
        Leads.WAIT,
        Severity.NOTE,
        "A bootstrap is running, or the CronJob is so young that its first runs are still to come.",
        _NOTHING,
    ),
    Reason.BOOTSTRAP_HANGS: _person(
        "The newest Job of the bootstrap has been active for 10 minutes or longer, which no run takes: its "
        "pod never began, or waits for something.",
        "See what the pod waits for (`kubectl describe pod`): an image that cannot be pulled, an init "
        "container, a node. Where the CronJob forbids a second Job beside it, delete the Job when that is "
        "mended.",
        symptom=True,
    ),
    Reason.BOOTSTRAP_IN_VAIN: _person(
        "Reconverge started the bootstrap in just this situation, and it did not succeed.",
        "Read its log; the findings beside this one name what is known in it.",
        symptom=True,
    ),
    Reason.BOOTSTRAP_IDENTITY_REFUSED: _repair(
        "The bootstrap's log says that Entra does not exchange its token: no credential of the identity "
        "matches issuer, subject and audience; or, by the code in the message, the token itself has expired "
        "(AADSTS700024), is signed by keys that Entra does not know yet (AADSTS50013), or is one of Entra's "
        "own (AADSTS700222).",
        "Where a credential or fact is still wrong, that is repaired first. " + _STARTED,
    ),
    Reason.BOOTSTRAP_IDENTITY_UNKNOWN: _repair(
        "The bootstrap's log says that Entra knows no application of its client id: the published fact is "
        "stale, or of another tenant.",
        "Where a fact is still wrong, that is repaired first. " + _STARTED,
    ),
    Reason.BOOTSTRAP_REFUSED_BY_ENTRA: _repair(
        "The bootstrap's log names a code of Entra that is none of a refused token exchange.",
        "Look the code up (https://login.microsoftonline.com/error). " + _STARTED,
    ),
    Reason.BOOTSTRAP_ROLE_MISSING: _person(
        "The bootstrap's log says that its identity may not read this Key Vault.",
        "Let CI (Terraform) assign Key Vault Secrets User to the identity on this Key Vault. Reconverge "
        "assigns no roles. An assignment takes up to ten minutes to be seen.",
        symptom=True,
    ),
    Reason.BOOTSTRAP_LACKS_SECRET: _repair(
        "The bootstrap's log names a required secret that it did not find in Key Vault. While the secret is "
        "missing there, SecretMissing says so as well.",
        _STARTED,
    ),
    Reason.BOOTSTRAP_TOKEN_FILE_MISSING: _person(
        "The bootstrap's pod got no token file: the workload identity webhook did not change it.",
        "See azure-wi-webhook in kube-system, the pod's label azure.workload.identity/use and its service "
        "account's annotation.",
    ),
    Reason.BOOTSTRAP_MET_SEALED_VAULT: _repair(
        "The bootstrap's log says that Vault was sealed. While it still is, VaultSealed says so as well.",
        _STARTED,
    ),
    Reason.BOOTSTRAP_DENIED_BY_VAULT: _person(
        "The bootstrap's log says that Vault denied it what it asked for.",
        "See policy and role in the chart's values; reviewer token and audience of the auth method stay "
        "unset.",
    ),
    Reason.BOOTSTRAP_AUDIENCE_REFUSED: _person(
        "The bootstrap's log says that Vault does not take its token's audience.",
        "Leave the audience of the Vault role unset in the chart's values.",
    ),
    Reason.BOOTSTRAP_UNREACHABLE: _repair(
        "The bootstrap's log says that it could not connect to Vault, Entra or Key Vault.", _STARTED
    ),
    # -- seeds
    Reason.SEED_MISSING: _repair("Vault was never given a declared seed.", _SEEDED),
    Reason.SEED_IS_PLACEHOLDER: _repair("A seed in Vault is a fixture value.", _SEEDED),
    Reason.SEED_FIGHT: _person(
        "A seed is a fixture value or missing again, though Reconverge wrote the source's value twice within "
        "a day, or sent it five times without an answer. It does not write it once more in that time.",
        "See who writes the fixture or takes the key away (a chart, a hook, the bootstrap itself, or a Vault "
        "that is made anew) and end that, or what keeps Vault's answers back. A new version in Key Vault is "
        "written at once.",
    ),
    Reason.SEED_BEHIND: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "A seed differs from its source, which is newer than the bootstrap's last success.",
        "Nothing: the bootstrap's next run brings it.",
    ),
    Reason.SEED_DIFFERS: _person(
        "A seed differs from its source, although the bootstrap succeeded since the source was set: "
        "somebody owns this value. Reconverge does not overwrite it.",
        "If Vault's value is right, take the key out of vault.seeds or correct Key Vault; otherwise delete "
        "the key's metadata in Vault, and it is seeded anew.",
    ),
    Reason.SEED_DELETED: _person(
        "Somebody deleted the newest version of a seed in Vault. Reconverge does not undo that.",
        "Undelete it, or delete the key's metadata, and it is seeded anew.",
    ),
    Reason.SEED_WITHOUT_VALUE: _person(
        "A seed's key is there without the field `value` that everything else reads.",
        "See who writes it; delete the key's metadata, and it is seeded anew.",
    ),
    # -- what rests on the seeds
    Reason.EXTERNAL_SECRETS_NOT_SERVED: _person(
        "The API server serves stores and ExternalSecrets neither as v1 nor as v1beta1.",
        "Install the External Secrets Operator's CRDs (the first phases of the rollout).",
    ),
    Reason.STORE_MISSING: _person(
        "The namespace has no SecretStore of the declared name.",
        "Sync the Argo CD application that deploys it, or correct vault.stores.",
    ),
    Reason.STORE_NOT_READY: _repair("A SecretStore is not Ready.", _REFRESHED),
    Reason.STORE_UNPROVEN: ReasonInfo(
        Leads.NOTE,
        Severity.WARNING,
        "A SecretStore is called Ready because it could not be validated (ValidationUnknown). That proves "
        "nothing.",
        "Look at its ExternalSecrets.",
    ),
    Reason.STORE_UNTRIED: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "A SecretStore could not be validated (ValidationUnknown), and no ExternalSecret that is looked at "
        "reads through it yet.",
        _NOTHING,
    ),
    Reason.STORE_NEVER_TRIED: _person(
        "A SecretStore could not be validated (ValidationUnknown), and no ExternalSecret that is looked at "
        "reads through it. So nothing tells whether it gives any secret.",
        "Sync the application that deploys its ExternalSecrets, list them in vault.externalSecrets, or take "
        "the store out of vault.stores.",
        symptom=True,
    ),
    Reason.EXTERNAL_SECRET_MISSING: _person(
        "The namespace has no ExternalSecret of the declared name.",
        "Sync the Argo CD application that deploys it, or correct vault.externalSecrets.",
    ),
    Reason.EXTERNAL_SECRET_NOT_READY: _repair("An ExternalSecret is not Ready.", _REFRESHED),
    Reason.REFRESHING: ReasonInfo(
        Leads.WAIT,
        Severity.NOTE,
        "It was refreshed a moment ago, and the operator has not answered yet.",
        _NOTHING,
    ),
    Reason.REFRESH_IN_VAIN: _person(
        "It was refreshed in just this situation, or 24 times within a day, and is still not Ready.",
        "See the cause in the message, or the object's Events (`kubectl describe`). Its refreshPolicy may "
        "be CreatedOnce, or it reads a key that is not declared as a seed.",
        symptom=True,
    ),
}

finding: Final = partial(finding_of, REASONS)
