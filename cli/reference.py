"""Writes docs/reasons.md from the reasons that responders declare, the tables of docs/permissions.md from
their rules, and docs/errors/ from the table of failure texts: `.venv/bin/python -m cli.reference`.

The pages are committed, and tests/unit/test_docs.py holds them to what `reasons_page`, `permissions_page` and
`error_pages` answer.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cli.error_pages import error_pages
from cli.permissions_tables import permissions_page
from responders import REGISTRY, load
from responders.federated_credentials.reasons import Reason as Federation
from responders.gitlab_migrations.reasons import Reason as Migrations
from responders.keycloak_bootstrap.reasons import Reason as Realm
from responders.runtime_facts.reasons import Reason as Fact
from responders.submodule_refs.reasons import Reason as Submodule
from responders.vault_seeding.log_reasons import ENTRA
from responders.vault_seeding.reasons import Reason as Seeding
from shared.world import Leads, ReasonInfo

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"

INTRODUCTION: Final = """\
# Reasons

<!-- Written by `.venv/bin/python -m cli.reference` from the responders' reasons.py: edit those instead. -->

Every finding has one of these codes: in the output of `reconverge run`, in the journal, in notices and in the
answers of the app. A code never changes its meaning. A run with several findings takes the gravest
[outcome](outcomes.md).

In `submodule_refs`, a commit is missing only where its remote's Git server says so by Git's protocol.
Whatever else stands in the way leaves it unknown. What can be kept is kept, and not moved.

In `federated_credentials`, a finding on a cluster keeps Reconverge from judging the credentials that trust
this cluster, a finding on an identity from judging what it holds. Everything else is judged and repaired all
the same. One write mends all findings on a credential.

In `vault_seeding`, a later stage (Key Vault, Vault, bootstrap, seeds, stores, ExternalSecrets) is repaired
only when nothing is found in an earlier one. A symptom whose root is another target's finding makes the
outcome `blocked`: that finding is the one to mend.

In `keycloak_bootstrap`, faults behind the two Jobs of the realm are mended by the Jobs: by hook annotations
in the right order where those are wrong, else by another run; both by pull request and a sync. A redirect URI
alone is added by itself, once both Jobs are complete. The same fault makes the Jobs run twice a day at most.

In `gitlab_migrations`, what the migrations' own log says decides whether they run again; a page that fails
with migrations that are complete never leads to it. Symptoms rest on everything before GitLab as a whole; on
Keycloak only those of its own pods and of a page that they answer. How its databases are set up is a fault of
its own, and repaired whatever else is broken; a missing database is people's, whatever else is broken.

In `applications`, each Application has one finding at most. Where its texts tell of a fault that a responder
of the environment looks after, the finding is a symptom of that responder's; of other known faults it has the
code of the [errors](errors/README.md), and what is not known is left to people. Foreign texts are never
repeated.
"""

SEEN_ELSEWHERE: Final = """\
## From an error to a reason

What Azure, Entra, Key Vault, Vault, GitHub and Kubernetes say when the same thing is wrong. Entra's codes
stand in the log of the workload that could not get a token.

| error | look at |
|---|---|
"""

DOES: Final[Mapping[Leads, str]] = {
    Leads.REPAIR: (
        "plans a step. The contract decides whether it is carried out, waits for approval or is proposed."
    ),
    Leads.WAIT: "writes nothing for it and looks again by itself; the outcome is `pending`.",
    Leads.PERSON: "writes nothing for it; the outcome is `human`, since only people can mend it.",
    Leads.NOTE: "reports it. It changes no outcome and is never acted on.",
    Leads.UNREAD: "writes nothing that rests on it and looks again by itself; the outcome is `failed`.",
}
MAY_WAIT: Final = " While the finding of another target explains it, the outcome is `blocked` instead."

# Entra's codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
# Limits and refusals of federated credentials:
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    Federation.UNREAD: ("AuthorizationFailed", "SubscriptionNotFound", "TooManyRequests"),
    Federation.CLUSTER_DELETED: (
        "ResourceNotFound",
        "AADSTS50166",
        "AADSTS501661",
        "AADSTS90061",
        "Request to External OIDC endpoint failed",
    ),
    Federation.CLUSTER_FAILED: ("provisioningState Failed", "provisioningState Canceled"),
    Federation.IDENTITY_MISSING: (
        "ResourceNotFound",
        "AADSTS700016",
        "Application with identifier … was not found in the directory",
        "The parent user-assigned identity doesn't exist",
    ),
    Federation.IDENTITY_OUTSIDE_SUBSCRIPTION: ("AADSTS700211",),
    Federation.CREDENTIAL_MISSING: (
        "AADSTS70021",
        "AADSTS700211",
        "AADSTS700213",
        "No matching federated identity record found for presented assertion",
    ),
    Federation.SUBJECT_DIFFERS: (
        "AADSTS700213",
        "AADSTS7002138",
        "No matching federated identity record found for presented assertion subject",
    ),
    Federation.ISSUER_STALE: (
        "AADSTS700211",
        "No matching federated identity record found for presented assertion issuer",
    ),
    Federation.AUDIENCE_DIFFERS: (
        "AADSTS700212",
        "No matching federated identity record found for presented assertion audience",
    ),
    Federation.PAIR_HELD_ELSEWHERE: (
        "Issuer and subject combination already exists for this Managed Identity",
    ),
    Federation.CREDENTIAL_MANAGED_BY_AKS: ("api://AKSIdentityBinding", "https://ib.oic"),
    Federation.CREDENTIAL_FLEXIBLE: ("claimsMatchingExpression",),
    Federation.PROPAGATING: ("AADSTS70021", "AADSTS700211", "AADSTS700213"),
    Federation.REFUSED_AFTER_GRACE: (
        "AADSTS700211",
        "AADSTS700213",
        "AADSTS700016",
        "AADSTS700024",
        "AADSTS50013",
    ),
    Federation.UNPROVEN: ("serviceaccounts/token", "AADSTS50166", "AADSTS501661", "AADSTS90061"),
    Submodule.SUBMODULES_UNREAD: (
        "Server does not allow request for unadvertised object",
        "authentication required: Repository not found",
    ),
    Submodule.SUBMODULE_URL_MISSING: ("No url found for submodule path", "no submodule mapping found in"),
    Submodule.SUBMODULE_COMMIT_MISSING: (
        "did not contain … Direct fetching of that commit failed",
        "upload-pack: not our ref",
        "Failed to load target state",
    ),
    Fact.FACTS_UNREAD: ("AuthorizationFailed", "Resource not accessible by personal access token"),
    Fact.REPOSITORY_UNREADABLE: (
        "authentication required: Repository not found",
        "Password authentication is not supported",
        "Repository not found",
    ),
    Fact.FACT_DIFFERS: (
        "AADSTS700016",
        "AADSTS700211",
        "Application with identifier … was not found in the directory",
    ),
    Fact.WORKFLOW_REFUSED: (
        "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
        "Resource not accessible by personal access token",
        "Workflow does not have 'workflow_dispatch' trigger",
    ),
    Seeding.SEEDING_UNREAD: ("AKV10000", "ForbiddenByFirewall", "ForbiddenByRbac"),
    Seeding.SECRET_MISSING: ("SecretNotFound", "missing required Key Vault secret"),
    Seeding.SECRET_DISABLED: ("Operation get is not allowed on a disabled secret",),
    Seeding.VAULT_SEALED: ("Code: 503. Errors: * Vault is sealed", "Vault is sealed"),
    Seeding.VAULT_LOGIN_REFUSED: ("Code: 403. Errors: * permission denied",),
    **{
        reason: tuple(code for code, means in ENTRA.items() if means is reason)
        for reason in dict.fromkeys(ENTRA.values())
    },
    Seeding.BOOTSTRAP_ROLE_MISSING: ("ForbiddenByRbac",),
    Seeding.BOOTSTRAP_LACKS_SECRET: ("missing required Key Vault secret",),
    Seeding.BOOTSTRAP_TOKEN_FILE_MISSING: ("AZURE_FEDERATED_TOKEN_FILE",),
    Seeding.BOOTSTRAP_MET_SEALED_VAULT: ("Vault is sealed",),
    Seeding.BOOTSTRAP_AUDIENCE_REFUSED: ("invalid audience (aud) claim",),
    Seeding.BOOTSTRAP_DENIED_BY_VAULT: ("permission denied",),
    Seeding.BOOTSTRAP_UNREACHABLE: ("connection refused", "no such host"),
    Seeding.STORE_NOT_READY: ("InvalidProviderConfig", "unable to create client"),
    Seeding.EXTERNAL_SECRET_NOT_READY: (
        "SecretSyncedError",
        "Secret does not exist",
        "could not get secret data from provider",
    ),
    Migrations.GITLAB_DATABASE_CONFIG_REFUSED: (
        "Database config validation failure",
        "Many configurations (main, ci) share the same database",
        "is expecting to share configuration with 'main', but no such is to be found",
        "since it is using 'database_tasks: false' should share database with 'main:'",
    ),
    Migrations.CONFIG_REFUSED_AS_MAPPED: (
        "Database config validation failure",
        "is required to use 'database_tasks: true'",
    ),
    Migrations.MIGRATIONS_DATABASE_UNREACHABLE: (
        "PG::ConnectionBad",
        "could not connect to server",
        "could not translate host name",
    ),
    Migrations.MIGRATIONS_PASSWORD_REFUSED: ("password authentication failed for user",),
    Migrations.MIGRATIONS_DATABASE_MISSING: ("ActiveRecord::NoDatabaseError",),
    Migrations.MIGRATIONS_EXTENSION_MISSING: (
        "could not open extension control file",
        "permission denied to create extension",
    ),
    Migrations.MIGRATIONS_LOCKED: ("ActiveRecord::ConcurrentMigrationError", "PG::LockNotAvailable"),
    Migrations.MIGRATIONS_TIMED_OUT: ("DeadlineExceeded", "canceling statement due to statement timeout"),
    Migrations.MIGRATIONS_FAILED: ("BackoffLimitExceeded",),
    Migrations.GITLAB_SECRET_MISSING: ("CreateContainerConfigError",),
    Migrations.GITLAB_IMAGE_NOT_PULLED: ("ErrImagePull", "ImagePullBackOff"),
    Migrations.GITLAB_STILL_INITIALISING: ("Database has not been initialized yet",),
    Migrations.GITLAB_PAGE_FAILS: ("InvalidAccessKeyId", "We're sorry. Something went wrong on our end."),
    Realm.KEYCLOAK_FORBIDDEN: ("403 Forbidden on /admin/realms/…", "unknown_error"),
    Realm.BOOTSTRAP_ADMIN_REFUSED: ("invalid_grant", "Invalid user credentials"),
    Realm.PATCHER_LOGIN_REFUSED: ("Invalid client or Invalid client credentials", "invalid_grant"),
    Realm.PATCHER_WITHOUT_TOKEN: ("Token not available yet",),
    Realm.PATCHER_SKIPPED_CLIENT: ("Client '…' not found - skipping",),
    Realm.PATCHER_DENIED_BY_VAULT: ("permission denied",),
    Realm.PATCHER_MET_SEALED_VAULT: ("Vault is sealed",),
    Realm.KEYCLOAK_NOT_REACHED_BY_JOB: ("connection refused", "no such host"),
    Realm.MASTER_BOOTSTRAP_FAILED: ("BackoffLimitExceeded",),
    Realm.CLIENT_PATCHER_FAILED: ("BackoffLimitExceeded",),
    Realm.REALM_IMPORT_FAILED: ("HasErrors",),
    Realm.REDIRECT_URI_MISSING: ("Invalid parameter: redirect_uri",),
    Realm.REDIRECT_URI_DIFFERS: ("Invalid parameter: redirect_uri",),
    Realm.CLIENT_KEY_MISSING: ("Secret does not exist",),
    Realm.OIDC_SECRET_IS_PLACEHOLDER: (
        "Invalid client or Invalid client credentials",
        "keycloak_generated_placeholder",
    ),
    Realm.OIDC_SECRET_DIFFERS: ("Invalid client or Invalid client credentials",),
}
"""What other systems say of the same fault, for whoever searches. The start of a text is enough."""


def main() -> int:
    (DOCS / "reasons.md").write_text(reasons_page(), encoding="utf-8")
    permissions = DOCS / "permissions.md"
    permissions.write_text(permissions_page(permissions.read_text(encoding="utf-8")), encoding="utf-8")
    for name, page in error_pages().items():
        (DOCS / "errors" / name).write_text(page, encoding="utf-8")
    return 0


def reasons_page() -> str:
    """Markdown: an index by foreign error, then a section for each reason, responder by responder."""
    return "\n".join([INTRODUCTION, SEEN_ELSEWHERE + "\n".join(_index()) + "\n", *_sections()])


def _index() -> Iterator[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for reason, texts in TEXTS.items():
        for text in texts:
            found[text].append(_link(reason))
    for text in sorted(found, key=str.lower):
        yield f"| `{text}` | {', '.join(found[text])} |"


def _sections() -> Iterator[str]:
    for responder in REGISTRY:
        yield f"## Responder `{responder}`\n"
        for code, info in load(responder).reasons.items():
            yield _section(code, info)


def _section(code: str, info: ReasonInfo) -> str:
    lines = [
        f"### {code}",
        "",
        info.means,
        "",
        f"- **Severity**: {info.severity.value}",
        f"- **Reconverge** {DOES[info.leads]}{MAY_WAIT if info.symptom else ''}",
        f"- **Remedy**: {info.remedy}",
    ]
    if texts := TEXTS.get(code):
        lines.append(f"- **Elsewhere**: {', '.join(f'`{text}`' for text in texts)}")
    return "\n".join(lines) + "\n"


def _link(code: str) -> str:
    return f"[{code}](#{code.lower()})"


if __name__ == "__main__":
    sys.exit(main())
