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
    KEYCLOAK_UNREAD = "KeycloakUnread"
    KEYCLOAK_UNREACHABLE = "KeycloakUnreachable"
    KEYCLOAK_STARTING = "KeycloakStarting"
    KEYCLOAK_LOGIN_REFUSED = "KeycloakLoginRefused"
    REALM_MISSING = "RealmMissing"
    REALM_IMPORTS_NOT_SERVED = "RealmImportsNotServed"
    REALM_IMPORT_MISSING = "RealmImportMissing"
    REALM_IMPORT_FAILED = "RealmImportFailed"
    REALM_IMPORT_STUCK = "RealmImportStuck"
    REALM_IMPORT_UNDER_WAY = "RealmImportUnderWay"
    MASTER_BOOTSTRAP_MISSING = "MasterBootstrapMissing"
    MASTER_BOOTSTRAP_FAILED = "MasterBootstrapFailed"
    MASTER_BOOTSTRAP_TOO_LONG = "MasterBootstrapTooLong"
    MASTER_BOOTSTRAP_RUNNING = "MasterBootstrapRunning"
    BOOTSTRAP_ADMIN_REFUSED = "BootstrapAdminRefused"
    CLIENT_PATCHER_MISSING = "ClientPatcherMissing"
    CLIENT_PATCHER_FAILED = "ClientPatcherFailed"
    CLIENT_PATCHER_TOO_LONG = "ClientPatcherTooLong"
    CLIENT_PATCHER_RUNNING = "ClientPatcherRunning"
    KEYCLOAK_FORBIDDEN = "KeycloakForbidden"
    PATCHER_LOGIN_REFUSED = "PatcherLoginRefused"
    PATCHER_WITHOUT_TOKEN = "PatcherWithoutToken"  # noqa: S105 (a code, not a secret; so below)
    PATCHER_SKIPPED_CLIENT = "PatcherSkippedClient"
    PATCHER_DENIED_BY_VAULT = "PatcherDeniedByVault"
    PATCHER_MET_SEALED_VAULT = "PatcherMetSealedVault"
    KEYCLOAK_NOT_REACHED_BY_JOB = "KeycloakNotReachedByJob"
    PATCHER_BEFORE_BOOTSTRAP = "PatcherBeforeBootstrap"
    HOOK_GONE = "HookGone"
    BOOTSTRAP_NOT_SYNC_HOOK = "BootstrapNotSyncHook"
    HOOKS_MISORDERED = "HooksMisordered"
    CLIENT_MISSING = "ClientMissing"
    CLIENT_DISABLED = "ClientDisabled"
    REDIRECT_URI_MISSING = "RedirectUriMissing"
    REDIRECT_URI_DIFFERS = "RedirectUriDiffers"
    REDIRECT_URI_TAKEN_AWAY = "RedirectUriTakenAway"
    CLIENT_KEYS_UNREAD = "ClientKeysUnread"
    CLIENT_KEY_MISSING = "ClientKeyMissing"
    OIDC_SECRET_MISSING = "OidcSecretMissing"  # noqa: S105
    OIDC_SECRET_EMPTY = "OidcSecretEmpty"  # noqa: S105
    OIDC_SECRET_IS_PLACEHOLDER = "OidcSecretIsPlaceholder"  # noqa: S105
    OIDC_SECRET_DIFFERS = "OidcSecretDiffers"  # noqa: S105
    OIDC_SECRET_NOT_SYNCED = "OidcSecretNotSynced"  # noqa: S105
    OIDC_SECRET_REFRESHING = "OidcSecretRefreshing"  # noqa: S105
    DIGEST_UNPUBLISHED = "DigestUnpublished"
    KEYCLOAK_NOT_DEPLOYED = "KeycloakNotDeployed"
    KEYCLOAK_SYNC_UNDER_WAY = "KeycloakSyncUnderWay"
    HOOKS_NOT_RERUN = "HooksNotRerun"
    KEYCLOAK_SYNC_LEFT_TO_PEOPLE = "KeycloakSyncLeftToPeople"
    KEYCLOAK_SYNC_IN_VAIN = "KeycloakSyncInVain"
    RERUN_IN_VAIN = "RerunInVain"
    JOB_RERUNNING = "JobRerunning"
    HOOK_KEY_UNDECLARED = "HookKeyUndeclared"
    HOOK_PROPOSAL_OPEN = "HookProposalOpen"
    HOOK_PROPOSAL_DECLINED = "HookProposalDeclined"
    HOOK_PROPOSAL_SUPERSEDED = "HookProposalSuperseded"
    HOOK_VALUES_SETTLING = "HookValuesSettling"
    HOOK_VALUES_UNDONE = "HookValuesUndone"
    HOOK_VALUES_UNEDITABLE = "HookValuesUneditable"
    HOOK_ORDER_UNSETTLED = "HookOrderUnsettled"


ORDER: Final = (Reason.BOOTSTRAP_NOT_SYNC_HOOK, Reason.HOOKS_MISORDERED)
"""What other annotations mend."""

ABSENT: Final = (Reason.MASTER_BOOTSTRAP_MISSING, Reason.CLIENT_PATCHER_MISSING)
"""What a sync mends, which makes hooks anew."""

RERUN: Final = (
    Reason.MASTER_BOOTSTRAP_FAILED,
    Reason.KEYCLOAK_FORBIDDEN,
    Reason.PATCHER_LOGIN_REFUSED,
    Reason.PATCHER_WITHOUT_TOKEN,
    Reason.PATCHER_SKIPPED_CLIENT,
    Reason.PATCHER_DENIED_BY_VAULT,
    Reason.PATCHER_MET_SEALED_VAULT,
    Reason.KEYCLOAK_NOT_REACHED_BY_JOB,
    Reason.CLIENT_PATCHER_FAILED,
    Reason.HOOK_GONE,
    Reason.PATCHER_BEFORE_BOOTSTRAP,
    Reason.CLIENT_MISSING,
    Reason.CLIENT_KEY_MISSING,
    Reason.OIDC_SECRET_IS_PLACEHOLDER,
    Reason.OIDC_SECRET_DIFFERS,
    Reason.OIDC_SECRET_MISSING,
    Reason.OIDC_SECRET_EMPTY,
)
"""What another run of the Jobs mends, nearest to its cause first."""

REDIRECTS: Final = (Reason.REDIRECT_URI_MISSING, Reason.REDIRECT_URI_DIFFERS)

_RERUN: Final = (
    "Reconverge proposes another value for the key at hooks.rerun where the contract allows keycloak.rerun, "
    "and syncs once it is merged; where the contract names keycloak.jobs, it makes the Jobs anew instead. By "
    "hand: give that key any other value in Git, and sync."
)
_ORDERED: Final = (
    "Reconverge proposes annotations by which the bootstrap comes first, where the contract allows "
    "keycloak.order, and syncs once they are merged."
)
_SYNCED: Final = "Reconverge syncs the Application where the contract allows application.sync."
_ADDED: Final = (
    "Once both Jobs are complete, Reconverge adds it where the contract allows keycloak.redirect; before "
    "that the patcher brings it. For good it belongs into the realm's values in Git."
)
_NOTHING: Final = "Nothing: Reconverge looks again."


def _person(means: str, remedy: str, *, symptom: bool = False) -> ReasonInfo:
    return ReasonInfo(Leads.PERSON, Severity.ERROR, means, remedy, symptom)


def _repair(means: str, remedy: str) -> ReasonInfo:
    """Each may come from a credential, a fact or a seed that is wrong: that is mended first."""
    return ReasonInfo(Leads.REPAIR, Severity.ERROR, means, remedy, symptom=True)


def _wait(means: str, remedy: str = _NOTHING) -> ReasonInfo:
    return ReasonInfo(Leads.WAIT, Severity.NOTE, means, remedy)


def _note(means: str, remedy: str) -> ReasonInfo:
    return ReasonInfo(Leads.NOTE, Severity.WARNING, means, remedy)


REASONS: Final[Mapping[str, ReasonInfo]] = {
    Reason.KEYCLOAK_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "A value that the verdict rests on could not be read. There is no verdict on it and no write.",
        "Look at the system and code in the message. 403 of the API server: deploy/kubernetes holds the role "
        "that it needs. Clients that cannot be listed: see the app's client in the realm and its secret in "
        "Key Vault. 429 and 5xx pass by themselves.",
    ),
    # -- Keycloak
    Reason.KEYCLOAK_UNREACHABLE: _person(
        "Keycloak does not answer from outside, or answers with an error of its own, and nothing of it was "
        "deployed lately.",
        "See the pod keycloak-0, its database and the route to it. It does not start without the Secret with "
        "its bootstrap administrator.",
        symptom=True,
    ),
    Reason.KEYCLOAK_STARTING: _wait(
        "Keycloak does not answer, and everything was well minutes ago, or what it needs was deployed or "
        "mended within minutes, or is being deployed."
    ),
    Reason.KEYCLOAK_LOGIN_REFUSED: _person(
        "Keycloak answers, and refuses the login of Reconverge's own client, or to list clients to it.",
        "See the client at keycloak.login: it needs a service account with the role view-clients of "
        "realm-management, and the secret that Key Vault holds.",
        symptom=True,
    ),
    Reason.REALM_MISSING: _person(
        "The realm imports are done, and Keycloak has no realm of the declared name.",
        "Correct keycloak.realm, or delete the KeycloakRealmImport, so that it is made anew: one that is "
        "done is not repeated.",
        symptom=True,
    ),
    # -- realm imports
    Reason.REALM_IMPORTS_NOT_SERVED: _person(
        "The API server serves no KeycloakRealmImports.",
        "Install the CRDs of the Keycloak operator (the first phases of the rollout).",
        symptom=True,
    ),
    Reason.REALM_IMPORT_MISSING: _person(
        "The namespace has no KeycloakRealmImport of a declared name, and the realm's clients cannot be "
        "listed. While they can, it has done its work and may be gone.",
        "Sync the Argo CD application that deploys it, or correct keycloak.realmImports.",
        symptom=True,
    ),
    Reason.REALM_IMPORT_FAILED: _person(
        "A realm import says HasErrors, though Keycloak answers. The operator does not try it again.",
        "See the log of its Job; a placeholder in it may lack its Secret. Delete the KeycloakRealmImport "
        "when the cause is gone, and it is made anew.",
        symptom=True,
    ),
    Reason.REALM_IMPORT_STUCK: _person(
        "A realm import is neither done nor failed for a quarter of an hour.",
        "See that the operator watches the namespace, and the pod of the import's Job.",
        symptom=True,
    ),
    Reason.REALM_IMPORT_UNDER_WAY: _wait("A realm import is under way."),
    # -- the Jobs
    Reason.MASTER_BOOTSTRAP_MISSING: _repair(
        "There is no master bootstrap Job, no sync tells that it succeeded, and something is wrong that it "
        "or the patcher should have brought about.",
        _SYNCED,
    ),
    Reason.MASTER_BOOTSTRAP_FAILED: _repair(
        "The master bootstrap failed, so the client that the patcher logs in as may be missing.", _RERUN
    ),
    Reason.MASTER_BOOTSTRAP_TOO_LONG: _person(
        "The master bootstrap runs for a quarter of an hour and more.",
        "See its pod: an image that cannot be pulled, a Secret that is missing, or a Keycloak that does not "
        "answer it.",
        symptom=True,
    ),
    Reason.MASTER_BOOTSTRAP_RUNNING: _wait("The master bootstrap is running."),
    Reason.BOOTSTRAP_ADMIN_REFUSED: _person(
        "The master bootstrap's log says that Keycloak does not take the administrator's login.",
        "Keycloak honours its bootstrap administrator only when the master realm is first made; to change "
        "the Secret later does nothing. Bring the Secret and the administrator's password together.",
        symptom=True,
    ),
    Reason.CLIENT_PATCHER_MISSING: _repair(
        "There is no client patcher Job, no sync tells that it succeeded, and something is wrong that it "
        "should have brought about.",
        _SYNCED,
    ),
    Reason.CLIENT_PATCHER_FAILED: _repair(
        "The client patcher failed, so clients, their secrets in Vault, and what reads them may be wrong.",
        _RERUN,
    ),
    Reason.CLIENT_PATCHER_TOO_LONG: _person(
        "The client patcher runs for a quarter of an hour and more.",
        "See its pod, and what its log waits for.",
        symptom=True,
    ),
    Reason.CLIENT_PATCHER_RUNNING: _wait("The client patcher is running."),
    Reason.KEYCLOAK_FORBIDDEN: _repair(
        "The client patcher's log says that Keycloak's admin API answered 403: it logged in with weak "
        "credentials, as before the master bootstrap made its client.",
        "Where the hooks are in the wrong order, that is mended first. " + _RERUN,
    ),
    Reason.PATCHER_LOGIN_REFUSED: _repair(
        "The client patcher's log says that Keycloak does not take its login: its client is missing, or has "
        "another secret.",
        _RERUN,
    ),
    Reason.PATCHER_WITHOUT_TOKEN: _repair(
        "The client patcher's log says that no token was available.", _RERUN
    ),
    Reason.PATCHER_SKIPPED_CLIENT: _repair(
        "The client patcher's log says that it did not find a client and skipped it.", _RERUN
    ),
    Reason.PATCHER_DENIED_BY_VAULT: _repair(
        "The client patcher's log says that Vault denied it what it asked for.",
        "See that the policy of its role covers the clients' keys. " + _RERUN,
    ),
    Reason.PATCHER_MET_SEALED_VAULT: _repair(
        "The client patcher's log says that Vault was sealed.",
        "While it still is, that is mended first. " + _RERUN,
    ),
    Reason.KEYCLOAK_NOT_REACHED_BY_JOB: _repair(
        "The log of one of the Jobs says that it could not connect to Keycloak or Vault.", _RERUN
    ),
    Reason.PATCHER_BEFORE_BOOTSTRAP: _repair(
        "The client patcher began before the master bootstrap had completed, and what it should have brought "
        "about is wrong.",
        "Where the hooks are in the wrong order, that is mended first. " + _RERUN,
    ),
    Reason.HOOK_GONE: _repair(
        "The Application's last operation tells that a Job failed, and the Job was deleted before its log "
        "could be read (a hook-delete-policy with HookFailed).",
        _RERUN,
    ),
    # -- their order
    Reason.BOOTSTRAP_NOT_SYNC_HOOK: ReasonInfo(
        Leads.REPAIR,
        Severity.WARNING,
        "The master bootstrap is not a hook of the phase Sync, so a sync does not run it anew at its place. "
        "While everything else is well, this is a precaution that holds nobody back.",
        _ORDERED,
    ),
    Reason.HOOKS_MISORDERED: ReasonInfo(
        Leads.REPAIR,
        Severity.WARNING,
        "By phase and wave as they are rendered, the master bootstrap does not come before the client "
        "patcher. While everything else is well, this is a precaution that holds nobody back.",
        _ORDERED,
    ),
    # -- what they bring about
    Reason.CLIENT_MISSING: _repair("The realm lacks a declared client.", _RERUN),
    Reason.CLIENT_DISABLED: _person(
        "A declared client is disabled, which nothing on this platform does by itself.",
        "Enable it in Keycloak, or take it out of keycloak.clients.",
    ),
    Reason.REDIRECT_URI_MISSING: _repair(
        "A client does not accept a declared redirect URI, so whoever signs in there meets `Invalid "
        "parameter: redirect_uri`.",
        _ADDED,
    ),
    Reason.REDIRECT_URI_DIFFERS: _repair(
        "A client accepts redirect URIs, and none of those that are declared: they may be of another host or "
        "environment.",
        _ADDED,
    ),
    Reason.REDIRECT_URI_TAKEN_AWAY: _person(
        "Reconverge wrote a declared redirect URI twice within a day, and it is missing all the same.",
        "Somebody or something takes it away, such as the patcher by its own declaration. Bring the realm's "
        "values in Git and keycloak.clients together.",
    ),
    Reason.CLIENT_KEYS_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "Whether Vault holds the secrets of the declared clients could not be read.",
        "See the message. The policy of the role that Reconverge logs in with must cover the keys at "
        "keycloak.clients.",
        symptom=True,
    ),
    Reason.CLIENT_KEY_MISSING: _repair(
        "The client patcher is done, or gone, and Vault does not hold the secret of a declared client: the "
        "patcher's role may lack a policy for its path.",
        "See that policy. " + _RERUN,
    ),
    Reason.OIDC_SECRET_MISSING: _repair("A declared Secret is not there.", _RERUN),
    Reason.OIDC_SECRET_EMPTY: _repair("A key of a declared Secret is missing or empty.", _RERUN),
    Reason.OIDC_SECRET_IS_PLACEHOLDER: _repair(
        "A key of a declared Secret, or what Vault holds for it, is a fixture value, with which nobody can "
        "sign in.",
        _RERUN,
    ),
    Reason.OIDC_SECRET_DIFFERS: _repair(
        "A key of a declared Secret has another digest than the patcher published, and it had time enough to "
        "be refreshed: somebody else wrote the key in Vault, or its ExternalSecret is refreshed too seldom.",
        "See its ExternalSecret's refreshInterval. " + _RERUN,
    ),
    Reason.OIDC_SECRET_NOT_SYNCED: _person(
        "Vault holds what the patcher wrote, and a declared Secret has not got it.",
        "See its ExternalSecret and the store that it reads through.",
        symptom=True,
    ),
    Reason.OIDC_SECRET_REFRESHING: _wait(
        "The client patcher completed lately, and a declared Secret does not have what it wrote yet: within "
        "10 minutes where it has nothing, within 65 where it has an older value, which the External Secrets "
        "Operator reads again once an hour."
    ),
    Reason.DIGEST_UNPUBLISHED: _note(
        "The client patcher is done, or gone, and published no digest of a declared key: nothing tells "
        "whether the Secret is up to date.",
        "See the ConfigMap at keycloak.digests, and the keys at keycloak.secrets.",
    ),
    # -- the way to a repair
    Reason.KEYCLOAK_NOT_DEPLOYED: _wait(
        "Argo CD has no Application of the declared name, or has never synced it: its turn is still to come.",
        "If it stays so, see the ApplicationSet that makes it, or correct keycloak.application.",
    ),
    Reason.KEYCLOAK_SYNC_UNDER_WAY: _wait("A sync of the Application is asked for, or is running."),
    Reason.HOOKS_NOT_RERUN: ReasonInfo(
        Leads.REPAIR,
        Severity.WARNING,
        "The values in Git are as they should be, and the Jobs have not run since, or are missing.",
        _SYNCED,
        symptom=True,
    ),
    Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE: _person(
        "A sync would make the Jobs run, and Reconverge may not begin one: no `argocd` is declared, or the "
        "Application has no automated sync, is excluded from reconciliation, is being deleted, or has "
        "another name.",
        "Sync it (`argocd app sync <name>`) once what the branch has now may be deployed. Where Argo CD has "
        "no such Application, correct keycloak.application.",
        symptom=True,
    ),
    Reason.KEYCLOAK_SYNC_IN_VAIN: _person(
        "Reconverge asked for a sync of the Application in just this situation, and the Jobs did not run, "
        "are gone again, or are rendered as before.",
        "See the operation (`argocd app get <name> --show-operation`). Where Jobs are not rendered as the "
        "values say, see that the chart uses the keys at keycloak.hooks, and that no later file of values "
        "and no parameter of the Application says otherwise.",
        symptom=True,
    ),
    Reason.RERUN_IN_VAIN: _person(
        "The Jobs were made to run twice within a day for the same fault, and it is there all the same.",
        "See the findings beside this one, and the Jobs' logs.",
        symptom=True,
    ),
    Reason.JOB_RERUNNING: _wait("A Job was made anew a moment ago, and does not show it yet."),
    Reason.HOOK_KEY_UNDECLARED: _person(
        "A repair needs a key of the values that the landscape does not declare.",
        "Declare it at keycloak.hooks, or change the values by hand; then sync.",
    ),
    Reason.HOOK_PROPOSAL_OPEN: _wait(
        "A pull request changes the values of the Jobs, and waits for people.", "Review and merge it."
    ),
    Reason.HOOK_PROPOSAL_DECLINED: _person(
        "Somebody closed the pull request that would change the values of the Jobs. Reconverge does not "
        "propose the same again.",
        "Change the values by hand, or open the pull request again and merge it.",
    ),
    Reason.HOOK_PROPOSAL_SUPERSEDED: ReasonInfo(
        Leads.REPAIR,
        Severity.WARNING,
        "An open pull request of Reconverge for the Jobs is not needed any more.",
        "Reconverge closes it where the contract allows keycloak.order or keycloak.rerun.",
    ),
    Reason.HOOK_VALUES_SETTLING: _wait("The values were changed just now, and the file reads as before."),
    Reason.HOOK_VALUES_UNDONE: _person(
        "The change of the values was merged, and the file reads as before: somebody undid it.",
        "Decide which values are right; the pull request in the evidence has ours.",
    ),
    Reason.HOOK_VALUES_UNEDITABLE: _person(
        "The file of values is missing, or its layout allows no edit of the keys.",
        "Correct keycloak.hooks.values, or write the keys as plain values of their own lines.",
    ),
    Reason.HOOK_ORDER_UNSETTLED: _note(
        "The Jobs could be ordered more safely, and that waits, or was declined. Everything works meanwhile.",
        "See the message.",
    ),
}

finding: Final = partial(finding_of, REASONS)
