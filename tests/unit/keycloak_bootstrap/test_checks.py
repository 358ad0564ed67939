"""What is found on the way from Keycloak to Secrets, and what is not called a fault."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.keycloak_bootstrap.checks import check, faults
from responders.keycloak_bootstrap.facts import RESTS_ON, Facts, rests_on
from responders.keycloak_bootstrap.log_reasons import Cause
from responders.keycloak_bootstrap.reasons import ABSENT, ORDER, REASONS, REDIRECTS, RERUN, Reason
from shared.clients.argocd import Resource
from shared.clients.keycloak import LoginRefused
from shared.clients.vault import LoginRefused as VaultRefused
from shared.clients.web import NoAnswer, Page
from shared.model import Absent, Finding, Known, Severity, Unknown
from shared.world import Leads
from tests.unit.applications.builders import application, failed, operation
from tests.unit.keycloak_bootstrap.builders import (
    ACTIVE,
    APPLICATION,
    BOOTSTRAP,
    CALLBACK,
    FAILED,
    HOUR,
    MINUTE,
    NOW,
    OIDC_KEYS,
    PATCHER,
    PORTAL,
    SECOND,
    attempt,
    bootstrap,
    client,
    clients,
    declared,
    digests,
    entry,
    facts,
    failed_patcher,
    held,
    hooks,
    imports,
    keys,
    logged,
    patcher,
    secret,
    secrets,
    tried,
)

OTHER = "https://gitlab.staging.ameide.io/users/auth/openid_connect/callback"
LATELY = patcher(created=NOW - 2 * MINUTE, started=NOW - 2 * MINUTE, completed=NOW - MINUTE)
LONG_AGO: dict[str, Any] = {
    "bootstrap": bootstrap(completed=NOW - 3 * HOUR),
    "patcher": patcher(started=NOW - 2 * HOUR, completed=NOW - 2 * HOUR),
}
SYNCING = Known(application(APPLICATION, operation=operation("Running", age=MINUTE, running=True)))
STUCK = Known(application(APPLICATION, operation=operation("Running", age=HOUR, running=True)))
NO_HOOK: dict[str, Any] = {"bootstrap": Absent(), "patcher": Absent()}
UNSYNCED = Known(application(APPLICATION, sync="OutOfSync", operation=operation("Failed", "no reason")))
NEW = Known(application(APPLICATION, sync="OutOfSync", operation=None))

FAILED_LONG_AGO = Known(
    application(APPLICATION, sync="OutOfSync", operation=operation("Failed", age=3 * HOUR))
)
DIFFERING = secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(published=False)}))


def ended(*jobs: str, **changes: Any) -> Known[Any]:
    """The last operation failed, and had made these Jobs by then."""
    state = replace(operation("Failed", "no reason", age=2 * HOUR, jobs=jobs), **changes)
    return Known(application(APPLICATION, sync="OutOfSync", operation=state))


def named(job: str) -> tuple[Resource, ...]:
    told = failed("Job has reached the specified backoff limit")
    return tuple(replace(one, name=job) for one in told.resources)


def gone(job: str) -> Known[Any]:
    """The last operation tells that the Job failed."""
    told = operation("Failed", "one or more", *named(job))
    return Known(application(APPLICATION, operation=told))


CASES: dict[str, tuple[Facts, list[Reason]]] = {
    "nothing is wrong": (facts(), []),
    "nothing of Argo CD is declared, and nothing is wrong": (facts(argocd=None, application=None), []),
    # -- what could not be read
    "a cluster that cannot be read": (facts(cluster=Unknown("403")), [Reason.KEYCLOAK_UNREAD]),
    "imports that cannot be listed": (facts(imports=Unknown("403")), [Reason.KEYCLOAK_UNREAD]),
    "a Job that cannot be read": (facts(patcher=Unknown("503")), [Reason.KEYCLOAK_UNREAD]),
    "clients that cannot be read": (facts(clients=Unknown("timeout")), [Reason.KEYCLOAK_UNREAD]),
    "a Secret that cannot be read": (
        facts(secrets=secrets(provider=Unknown("403"))),
        [Reason.KEYCLOAK_UNREAD],
    ),
    "a log that cannot be read of a Job that failed": (
        facts(patcher=failed_patcher(), logs={PATCHER: Unknown("403")}),
        [Reason.KEYCLOAK_UNREAD, Reason.CLIENT_PATCHER_FAILED],
    ),
    "a Job that failed, of which there is no log": (
        facts(patcher=failed_patcher(), logs={PATCHER: Absent()}),
        [Reason.CLIENT_PATCHER_FAILED],
    ),
    "digests that cannot be read": (facts(digests=Unknown("403")), [Reason.KEYCLOAK_UNREAD]),
    "an Application that cannot be read counts where something is wrong": (
        facts(application=Unknown("403"), clients=clients(client("gitlab", CALLBACK, enabled=False))),
        [Reason.KEYCLOAK_UNREAD, Reason.CLIENT_DISABLED],
    ),
    "and nowhere else": (facts(application=Unknown("403")), []),
    # -- Keycloak
    "a Keycloak that does not answer, deployed long ago": (
        facts(page=NoAnswer("timeout"), clients=Unknown("timeout")),
        [Reason.KEYCLOAK_UNREACHABLE],
    ),
    "a Keycloak that answers with an error of what stands before it": (
        facts(page=Page(status=503), clients=Unknown("503")),
        [Reason.KEYCLOAK_UNREACHABLE],
    ),
    "a Keycloak that was deployed minutes ago": (
        facts(page=NoAnswer("refused"), clients=Unknown("refused"), imports=imports(created=NOW - MINUTE)),
        [Reason.KEYCLOAK_STARTING],
    ),
    "a Keycloak that does not answer while a sync is under way": (
        facts(page=NoAnswer("refused"), clients=Unknown("refused"), application=SYNCING),
        [Reason.KEYCLOAK_SYNC_UNDER_WAY, Reason.KEYCLOAK_STARTING],
    ),
    "a Keycloak that does not answer, minutes after its root was mended": (
        facts(page=NoAnswer("refused"), clients=Unknown("refused"), blocked_at=NOW - 14 * MINUTE),
        [Reason.KEYCLOAK_STARTING],
    ),
    "a Keycloak that refuses our login": (
        facts(clients=LoginRefused("401 invalid_client")),
        [Reason.KEYCLOAK_LOGIN_REFUSED],
    ),
    "a Keycloak without the realm": (facts(clients=Absent()), [Reason.REALM_MISSING]),
    "a Keycloak that says so to everybody": (
        facts(page=Page(status=404), clients=LoginRefused("404")),
        [Reason.REALM_MISSING],
    ),
    # -- imports
    "imports that are not served": (facts(imports=Absent()), [Reason.REALM_IMPORTS_NOT_SERVED]),
    "an import that is missing, and no realm": (
        facts(imports=Known(()), page=Page(status=404), clients=Absent()),
        [Reason.REALM_IMPORT_MISSING] * 2,
    ),
    "an import that is missing, and nobody let into the realm": (
        facts(imports=Known(()), clients=LoginRefused("no")),
        [Reason.REALM_IMPORT_MISSING] * 2,
    ),
    "a 404 of somebody in front of Keycloak": (
        facts(page=Page(status=404), clients=Unknown("Keycloak answered 404")),
        [Reason.KEYCLOAK_UNREAD],
    ),
    "imports that were deleted once they were done": (facts(imports=Known(())), []),
    "an import that failed": (facts(imports=imports(errors=True, done=False)), [Reason.REALM_IMPORT_FAILED]),
    "an import that is Started for too long": (
        facts(imports=imports(done=False, started=True, since=NOW - 16 * MINUTE)),
        [Reason.REALM_IMPORT_STUCK],
    ),
    "an import of which nothing is told for too long": (
        facts(imports=imports(done=False, created=NOW - 16 * MINUTE)),
        [Reason.REALM_IMPORT_STUCK],
    ),
    "an import that waits for Keycloak": (
        facts(
            page=NoAnswer("refused"),
            clients=Unknown("refused"),
            imports=imports(done=False, created=NOW - HOUR),
        ),
        [Reason.REALM_IMPORT_UNDER_WAY, Reason.KEYCLOAK_UNREACHABLE],
    ),
    "an import that calls it an error that Keycloak is not up": (
        facts(page=NoAnswer("refused"), clients=Unknown("refused"), imports=imports(errors=True, done=False)),
        [Reason.REALM_IMPORT_UNDER_WAY, Reason.KEYCLOAK_UNREACHABLE],
    ),
    "an import that could begin only when its root was mended": (
        facts(imports=imports(done=False, started=True, since=NOW - HOUR), blocked_at=NOW - 14 * MINUTE),
        [Reason.REALM_IMPORT_UNDER_WAY],
    ),
    "an import that began minutes ago": (
        facts(imports=imports(done=False, started=True, since=NOW - 14 * MINUTE)),
        [Reason.REALM_IMPORT_UNDER_WAY],
    ),
    "a realm that cannot be there before its import is done": (
        facts(imports=imports(done=False, started=True, since=NOW - MINUTE), clients=Absent()),
        [Reason.REALM_IMPORT_UNDER_WAY],
    ),
    "nor can our client": (
        facts(imports=imports(errors=True), clients=LoginRefused("401")),
        [Reason.REALM_IMPORT_FAILED],
    ),
    "imports that nobody declared are not looked at": (
        facts(declared=declared(realm_imports=()), imports=Absent()),
        [],
    ),
    # -- the Jobs
    "a bootstrap that failed": (
        facts(
            bootstrap=bootstrap(state=FAILED), patcher=patcher(created=NOW - 2 * HOUR, started=NOW - 2 * HOUR)
        ),
        [Reason.MASTER_BOOTSTRAP_FAILED],
    ),
    "a bootstrap that failed, and a patcher that went on all the same": (
        facts(bootstrap=bootstrap(state=FAILED)),
        [Reason.MASTER_BOOTSTRAP_FAILED, Reason.PATCHER_BEFORE_BOOTSTRAP],
    ),
    "a bootstrap that is running": (
        facts(bootstrap=bootstrap(state=ACTIVE, created=NOW - MINUTE, started=NOW - MINUTE)),
        [Reason.MASTER_BOOTSTRAP_RUNNING],
    ),
    "a bootstrap that runs too long": (
        facts(bootstrap=bootstrap(state=ACTIVE, created=NOW - 16 * MINUTE, started=NOW - 16 * MINUTE)),
        [Reason.MASTER_BOOTSTRAP_TOO_LONG],
    ),
    "a bootstrap that could go on only when its root was mended": (
        facts(bootstrap=bootstrap(state=ACTIVE), patcher=Absent(), blocked_at=NOW - MINUTE),
        [Reason.MASTER_BOOTSTRAP_RUNNING],
    ),
    "a bootstrap that is being deleted": (
        facts(bootstrap=bootstrap(deleting=True)),
        [Reason.MASTER_BOOTSTRAP_RUNNING],
    ),
    "a patcher that failed": (facts(patcher=failed_patcher()), [Reason.CLIENT_PATCHER_FAILED]),
    "a patcher that is running": (
        facts(patcher=patcher(state=ACTIVE, created=NOW - MINUTE, started=NOW - MINUTE)),
        [Reason.CLIENT_PATCHER_RUNNING],
    ),
    "a patcher that runs too long": (
        facts(patcher=patcher(state=ACTIVE, created=NOW - 15 * MINUTE, started=NOW - 15 * MINUTE)),
        [Reason.CLIENT_PATCHER_TOO_LONG],
    ),
    "a patcher that is missing, and what it should have brought is wrong": (
        facts(patcher=Absent(), application=UNSYNCED, secrets=secrets(oidc=Absent())),
        [Reason.HOOKS_NOT_RERUN, Reason.CLIENT_PATCHER_MISSING, Reason.OIDC_SECRET_MISSING],
    ),
    "both are missing, as where a sync failed before them": (
        facts(**NO_HOOK, application=UNSYNCED, clients=clients(client("gitlab"))),
        [
            Reason.HOOKS_NOT_RERUN,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.CLIENT_PATCHER_MISSING,
            Reason.REDIRECT_URI_MISSING,
        ],
    ),
    "hooks that were deleted when they had succeeded are no fault": (facts(**NO_HOOK), []),
    "nor where nothing tells of them, and everything is well": (
        facts(**NO_HOOK, argocd=None, application=None),
        [],
    ),
    "a hook that was deleted when it had failed": (
        facts(patcher=Absent(), application=gone(PATCHER)),
        [Reason.HOOK_GONE],
    ),
    "the same of the bootstrap": (
        facts(bootstrap=Absent(), application=gone(BOOTSTRAP)),
        [Reason.HOOK_GONE],
    ),
    "a hook that failed and is there is read itself": (
        facts(patcher=failed_patcher(), application=gone(PATCHER)),
        [Reason.CLIENT_PATCHER_FAILED],
    ),
    # -- what ran before what
    "a patcher that began before the bootstrap had completed, and was refused": (
        facts(
            patcher=failed_patcher(started=NOW - HOUR + SECOND), logs=logged(Cause(Reason.KEYCLOAK_FORBIDDEN))
        ),
        [Reason.KEYCLOAK_FORBIDDEN, Reason.CLIENT_PATCHER_FAILED, Reason.PATCHER_BEFORE_BOOTSTRAP],
    ),
    "a patcher that began early, completed, and left clients out": (
        facts(patcher=patcher(started=NOW - 2 * HOUR), clients=Known((client("gitlab", CALLBACK),))),
        [Reason.PATCHER_BEFORE_BOOTSTRAP, Reason.CLIENT_MISSING],
    ),
    "a patcher that began early, and everything is well": (
        facts(patcher=patcher(started=NOW - 2 * HOUR)),
        [],
    ),
    "a patcher that began beside a bootstrap that then failed": (
        facts(bootstrap=bootstrap(state=FAILED), patcher=failed_patcher()),
        [
            Reason.MASTER_BOOTSTRAP_FAILED,
            Reason.CLIENT_PATCHER_FAILED,
            Reason.PATCHER_BEFORE_BOOTSTRAP,
        ],
    ),
    "a patcher of an earlier sync than the bootstrap that failed": (
        facts(bootstrap=bootstrap(state=FAILED, created=NOW - MINUTE, started=NOW - MINUTE)),
        [Reason.MASTER_BOOTSTRAP_FAILED],
    ),
    "a patcher that was refused in a sync that did not come to the bootstrap": (
        facts(
            bootstrap=Absent(),
            patcher=failed_patcher(),
            logs=logged(Cause(Reason.KEYCLOAK_FORBIDDEN)),
            application=ended(PATCHER),
        ),
        [
            Reason.HOOKS_NOT_RERUN,
            Reason.KEYCLOAK_FORBIDDEN,
            Reason.CLIENT_PATCHER_FAILED,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.PATCHER_BEFORE_BOOTSTRAP,
        ],
    ),
    "a patcher that completed in such a sync, and left clients out": (
        facts(bootstrap=Absent(), clients=Known((client("gitlab", CALLBACK),)), application=ended(PATCHER)),
        [
            Reason.HOOKS_NOT_RERUN,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.PATCHER_BEFORE_BOOTSTRAP,
            Reason.CLIENT_MISSING,
        ],
    ),
    "a patcher that completed in such a sync, and everything is well": (
        facts(bootstrap=Absent(), application=ended(PATCHER)),
        [],
    ),
    "a patcher that was refused behind a bootstrap that is gone by its TTL": (
        facts(bootstrap=Absent(), patcher=failed_patcher(), application=ended(BOOTSTRAP, PATCHER)),
        [Reason.HOOKS_NOT_RERUN, Reason.CLIENT_PATCHER_FAILED, Reason.MASTER_BOOTSTRAP_MISSING],
    ),
    "a patcher that failed, and a sync that tells of no Job": (
        facts(bootstrap=Absent(), patcher=failed_patcher(), application=ended()),
        [Reason.HOOKS_NOT_RERUN, Reason.CLIENT_PATCHER_FAILED, Reason.MASTER_BOOTSTRAP_MISSING],
    ),
    "a patcher of before the sync that did not come to the bootstrap": (
        facts(bootstrap=Absent(), patcher=failed_patcher(), application=ended(PATCHER, started=NOW - MINUTE)),
        [Reason.HOOKS_NOT_RERUN, Reason.CLIENT_PATCHER_FAILED, Reason.MASTER_BOOTSTRAP_MISSING],
    ),
    "a patcher that is gone since it failed in such a sync": (
        facts(**NO_HOOK, application=ended(PATCHER, resources=named(PATCHER))),
        [
            Reason.HOOKS_NOT_RERUN,
            Reason.HOOK_GONE,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.PATCHER_BEFORE_BOOTSTRAP,
        ],
    ),
    "a patcher that is gone, and did not fail in it": (
        facts(**NO_HOOK, clients=clients(client("gitlab")), application=ended(PATCHER)),
        [
            Reason.HOOKS_NOT_RERUN,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.CLIENT_PATCHER_MISSING,
            Reason.REDIRECT_URI_MISSING,
        ],
    ),
    "a patcher in a sync that is still to come to the bootstrap": (
        facts(
            bootstrap=Absent(),
            patcher=failed_patcher(created=NOW, started=NOW),
            application=ended(PATCHER, phase="Running", started=NOW - MINUTE, finished=None),
        ),
        [Reason.KEYCLOAK_SYNC_UNDER_WAY, Reason.CLIENT_PATCHER_FAILED],
    ),
    # -- by their annotations
    "a bootstrap after the sync is a precaution while all is well": (
        facts(bootstrap=bootstrap(hook="PostSync")),
        [Reason.BOOTSTRAP_NOT_SYNC_HOOK, Reason.HOOKS_MISORDERED],
    ),
    "a bootstrap that is no hook": (facts(bootstrap=bootstrap(hook="")), [Reason.BOOTSTRAP_NOT_SYNC_HOOK]),
    "a bootstrap before the sync": (
        facts(bootstrap=bootstrap(hook="PreSync")),
        [Reason.BOOTSTRAP_NOT_SYNC_HOOK],
    ),
    "both in one wave": (facts(bootstrap=bootstrap(wave=2)), [Reason.HOOKS_MISORDERED]),
    "a patcher before the sync": (
        facts(patcher=patcher(hook="PreSync", wave=50)),
        [Reason.HOOKS_MISORDERED],
    ),
    "a patcher before the sync has no bootstrap to wait for": (
        facts(
            bootstrap=Absent(),
            application=gone(PATCHER),
            patcher=failed_patcher(hook="PreSync"),
            logs=logged(Cause(Reason.KEYCLOAK_FORBIDDEN)),
        ),
        [
            Reason.KEYCLOAK_FORBIDDEN,
            Reason.CLIENT_PATCHER_FAILED,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.HOOKS_MISORDERED,
        ],
    ),
    "a patcher after the sync": (facts(patcher=patcher(hook="PostSync", wave=-5)), []),
    "a patcher that is no hook, in a later wave": (facts(patcher=patcher(hook="")), []),
    "waves of any number": (facts(bootstrap=bootstrap(wave=-70), patcher=patcher(wave=-69)), []),
    "a bootstrap that was never made, of which the values tell that it comes too late": (
        facts(
            bootstrap=Absent(),
            application=gone(PATCHER),
            patcher=failed_patcher(),
            said={"masterBootstrap.hook": "PostSync", "masterBootstrap.syncWave": "1"},
        ),
        [
            Reason.CLIENT_PATCHER_FAILED,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.BOOTSTRAP_NOT_SYNC_HOOK,
            Reason.HOOKS_MISORDERED,
        ],
    ),
    # -- clients
    "a client that is missing": (
        facts(clients=Known((client("platform-app", *declared().clients["platform-app"].redirect_uris),))),
        [Reason.CLIENT_MISSING],
    ),
    "a client that the patcher says it skipped, though it completed": (
        facts(
            clients=Known((client("platform-app", PORTAL),)),
            logs=logged(Cause(Reason.PATCHER_SKIPPED_CLIENT, "gitlab")),
        ),
        [Reason.PATCHER_SKIPPED_CLIENT, Reason.CLIENT_MISSING],
    ),
    "a client that is missing, and a log that could not be read": (
        facts(clients=Known((client("platform-app", PORTAL),)), logs={PATCHER: Unknown("403")}),
        [Reason.KEYCLOAK_UNREAD, Reason.CLIENT_MISSING],
    ),
    "a client that is disabled": (
        facts(clients=clients(client("gitlab", CALLBACK, enabled=False))),
        [Reason.CLIENT_DISABLED],
    ),
    "a client without any redirect URI": (
        facts(clients=clients(client("gitlab"))),
        [Reason.REDIRECT_URI_MISSING],
    ),
    "a client with those of another environment alone": (
        facts(clients=clients(client("gitlab", OTHER))),
        [Reason.REDIRECT_URI_DIFFERS],
    ),
    "a client may accept more": (facts(clients=clients(client("gitlab", OTHER, CALLBACK))), []),
    "a client may accept it by a star": (
        facts(clients=clients(client("gitlab", "https://gitlab.dev.ameide.io/*"))),
        [],
    ),
    "a client that nobody declared is not looked at": (
        facts(clients=clients(client("admin-cli", enabled=False))),
        [],
    ),
    # -- Vault
    "a key that the patcher says it has written, and Vault has not": (
        facts(keys=keys(gitlab=Absent())),
        [Reason.CLIENT_KEY_MISSING],
    ),
    "a key of which somebody deleted the newest version": (
        facts(keys=keys(gitlab=held(deleted=True))),
        [Reason.CLIENT_KEY_MISSING],
    ),
    "a key without the field that is read": (
        facts(keys=keys(gitlab=held(without_value=True))),
        [Reason.CLIENT_KEY_MISSING],
    ),
    "a key that holds a placeholder": (
        facts(keys=keys(gitlab=held(placeholder=True))),
        [Reason.OIDC_SECRET_IS_PLACEHOLDER],
    ),
    "a key that cannot be read": (facts(keys=keys(gitlab=Unknown("403"))), [Reason.CLIENT_KEYS_UNREAD]),
    "a Vault that refuses our login": (
        facts(login=VaultRefused("403"), keys={}),
        [Reason.CLIENT_KEYS_UNREAD],
    ),
    "a Vault that was not asked": (facts(login=None, keys={}, vault=""), []),
    # -- Secrets
    "a Secret that is missing though Vault holds its keys": (
        facts(secrets=secrets(oidc=Absent())),
        [Reason.OIDC_SECRET_NOT_SYNCED],
    ),
    "a Secret that is missing, as Vault's key is": (
        facts(secrets=secrets(oidc=Absent()), keys=keys(gitlab=Absent())),
        [Reason.CLIENT_KEY_MISSING, Reason.OIDC_SECRET_MISSING],
    ),
    "a Secret that is missing, and nothing is known of Vault": (
        facts(secrets=secrets(oidc=Absent()), login=None, keys={}),
        [Reason.OIDC_SECRET_MISSING],
    ),
    "a key that is empty": (
        facts(secrets=secrets(provider=secret(provider=entry(empty=True))), login=None, keys={}),
        [Reason.OIDC_SECRET_EMPTY],
    ),
    "a declared key that is missing": (
        facts(secrets=secrets(oidc=secret(OIDC_KEYS[0])), login=None, keys={}),
        [Reason.OIDC_SECRET_EMPTY],
    ),
    "a Secret that must hold something, and holds nothing": (
        facts(secrets=secrets(provider=secret()), login=None, keys={}),
        [Reason.OIDC_SECRET_EMPTY],
    ),
    "a placeholder": (
        facts(
            **LONG_AGO, secrets=secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(placeholder=True)}))
        ),
        [Reason.OIDC_SECRET_IS_PLACEHOLDER],
    ),
    "a digest that differs": (
        facts(
            **LONG_AGO, secrets=secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(published=False)}))
        ),
        [Reason.OIDC_SECRET_DIFFERS],
    ),
    "a digest of an earlier run says nothing while the patcher has still to run": (
        facts(
            patcher=failed_patcher(),
            secrets=secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(published=False)})),
        ),
        [Reason.CLIENT_PATCHER_FAILED],
    ),
    "a digest that differs minutes after the patcher completed": (
        facts(
            patcher=LATELY,
            secrets=secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(published=False)})),
        ),
        [Reason.OIDC_SECRET_REFRESHING],
    ),
    "a placeholder an hour after the patcher completed": (
        facts(secrets=secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(placeholder=True)}))),
        [Reason.OIDC_SECRET_REFRESHING],
    ),
    "a placeholder minutes after, which stands in Vault as well": (
        facts(
            patcher=LATELY,
            keys=keys(gitlab=held(placeholder=True)),
            secrets=secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(placeholder=True)})),
        ),
        [Reason.OIDC_SECRET_IS_PLACEHOLDER] * 2,
    ),
    "a digest that differs beside it is waited for": (
        facts(
            patcher=LATELY,
            keys=keys(gitlab=held(placeholder=True)),
            secrets=secrets(oidc=secret(OIDC_KEYS[0], **{OIDC_KEYS[1]: entry(published=False)})),
        ),
        [Reason.OIDC_SECRET_IS_PLACEHOLDER, Reason.OIDC_SECRET_REFRESHING],
    ),
    "a Secret that is missing, as Vault holds a placeholder": (
        facts(secrets=secrets(oidc=Absent()), keys=keys(gitlab=held(placeholder=True))),
        [Reason.OIDC_SECRET_IS_PLACEHOLDER, Reason.OIDC_SECRET_MISSING],
    ),
    "a key that is empty beside one that differs, an hour after": (
        facts(
            secrets=secrets(
                oidc=secret(**{OIDC_KEYS[0]: entry(empty=True), OIDC_KEYS[1]: entry(published=False)})
            )
        ),
        [Reason.OIDC_SECRET_NOT_SYNCED, Reason.OIDC_SECRET_REFRESHING],
    ),
    "a Secret that is missing minutes after the patcher completed": (
        facts(patcher=LATELY, secrets=secrets(oidc=Absent())),
        [Reason.OIDC_SECRET_REFRESHING],
    ),
    "a digest that was not published": (
        facts(digests=digests("platform-app")),
        [Reason.DIGEST_UNPUBLISHED],
    ),
    "digests that nobody published": (facts(digests=Absent()), [Reason.DIGEST_UNPUBLISHED] * 2),
    "digests that nobody declared": (facts(digests=None), []),
    # -- Jobs that are gone
    "a key that Vault lacks, of Jobs that are gone where no Argo CD is declared": (
        facts(**NO_HOOK, argocd=None, application=None, keys=keys(gitlab=Absent())),
        [
            Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.CLIENT_PATCHER_MISSING,
            Reason.CLIENT_KEY_MISSING,
        ],
    ),
    "a digest that differs, of Jobs that are gone and an operation that failed of something else": (
        facts(**NO_HOOK, application=FAILED_LONG_AGO, secrets=DIFFERING),
        [
            Reason.HOOKS_NOT_RERUN,
            Reason.MASTER_BOOTSTRAP_MISSING,
            Reason.CLIENT_PATCHER_MISSING,
            Reason.OIDC_SECRET_DIFFERS,
        ],
    ),
    "the same minutes after that operation, before which the patcher may have written": (
        facts(**NO_HOOK, application=UNSYNCED, secrets=DIFFERING),
        [Reason.OIDC_SECRET_REFRESHING],
    ),
    "the same minutes after everything was well": (
        facts(**NO_HOOK, argocd=None, application=None, secrets=DIFFERING, well_until=NOW - MINUTE),
        [Reason.OIDC_SECRET_REFRESHING],
    ),
    "digests that nobody published, of Jobs that are gone": (
        facts(**NO_HOOK, argocd=None, application=None, digests=Absent()),
        [Reason.DIGEST_UNPUBLISHED] * 2,
    ),
    "a digest tells nothing while the Application is still to be synced": (
        facts(**NO_HOOK, application=NEW, secrets=DIFFERING),
        [],
    ),
    "nor while the Application is still to come": (
        facts(**NO_HOOK, application=Absent(), secrets=DIFFERING),
        [],
    ),
    "nor while it is being synced": (facts(**NO_HOOK, application=SYNCING, secrets=DIFFERING), []),
    "nor while the bootstrap runs before a patcher that is gone": (
        facts(
            bootstrap=bootstrap(state=ACTIVE, created=NOW - MINUTE, started=NOW - MINUTE),
            patcher=Absent(),
            application=FAILED_LONG_AGO,
            secrets=DIFFERING,
        ),
        [Reason.MASTER_BOOTSTRAP_RUNNING, Reason.CLIENT_PATCHER_MISSING],
    ),
    "nor where the patcher failed and is gone": (
        facts(patcher=Absent(), application=gone(PATCHER), secrets=DIFFERING),
        [Reason.HOOK_GONE],
    ),
    # -- a sync
    "a sync of what is well": (facts(application=SYNCING), []),
    "a sync that has to make the Jobs": (
        facts(**NO_HOOK, application=SYNCING, secrets=secrets(oidc=Absent())),
        [Reason.KEYCLOAK_SYNC_UNDER_WAY, Reason.OIDC_SECRET_MISSING],
    ),
    "annotations while a sync renders them anew tell nothing": (
        facts(bootstrap=bootstrap(wave=9), application=SYNCING),
        [],
    ),
    "what runs for half an hour and more is no sync that changes anything": (
        facts(bootstrap=bootstrap(wave=9), application=STUCK),
        [Reason.HOOKS_MISORDERED],
    ),
    "an Application that is still to come": (
        facts(**NO_HOOK, application=Absent(), secrets=secrets(oidc=Absent())),
        [Reason.KEYCLOAK_NOT_DEPLOYED, Reason.OIDC_SECRET_MISSING],
    ),
    "an Application that is still to be synced, and needs nobody": (
        facts(
            **NO_HOOK,
            application=NEW,
            page=NoAnswer("refused"),
            clients=Unknown("refused"),
            imports=Known(()),
            secrets=secrets(oidc=Absent(), provider=Absent()),
        ),
        [
            Reason.KEYCLOAK_NOT_DEPLOYED,
            Reason.KEYCLOAK_STARTING,
            Reason.OIDC_SECRET_MISSING,
            Reason.OIDC_SECRET_MISSING,
        ],
    ),
}

# What the way to a repair adds is in test_course.py.
ON_THE_WAY = {Reason.HOOK_VALUES_SETTLING}


def reasons(found: tuple[Finding, ...]) -> list[str]:
    return [one.reason for one in found if one.reason not in ON_THE_WAY]


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_finds(given: Facts, expected: list[Reason]) -> None:
    found = reasons(check(given, NOW))
    assert [one for one in found if one != Reason.HOOK_ORDER_UNSETTLED] == expected


CAUSES = {
    PATCHER: (
        Reason.KEYCLOAK_FORBIDDEN,
        Reason.PATCHER_LOGIN_REFUSED,
        Reason.PATCHER_WITHOUT_TOKEN,
        Reason.PATCHER_SKIPPED_CLIENT,
        Reason.PATCHER_DENIED_BY_VAULT,
        Reason.PATCHER_MET_SEALED_VAULT,
        Reason.KEYCLOAK_NOT_REACHED_BY_JOB,
    ),
    BOOTSTRAP: (Reason.BOOTSTRAP_ADMIN_REFUSED, Reason.KEYCLOAK_NOT_REACHED_BY_JOB),
}


@pytest.mark.parametrize(("job", "cause"), [(job, cause) for job, found in CAUSES.items() for cause in found])
def test_a_job_that_failed_has_each_cause_that_its_log_names(job: str, cause: Reason) -> None:
    broken = {"patcher": failed_patcher()} if job == PATCHER else {"bootstrap": bootstrap(state=FAILED)}
    found = faults(facts(**broken, logs=logged(Cause(cause), job=job)), NOW)
    assert (found[0].reason, found[0].subject) == (cause, facts().job_id(job))


# -- the rule that tells roots apart ----------------------------------------------------------------


def test_what_waits_for_others_rests_on_each_of_them_as_a_whole() -> None:
    given = facts(patcher=failed_patcher())
    for one in check(given, NOW):
        if REASONS[one.reason].symptom:
            assert rests_on(given, one) == {f"dev/{name}" for name in RESTS_ON}


def test_wrong_annotations_are_mended_whatever_else_is_broken() -> None:
    assert not any(REASONS[one].symptom for one in ORDER)


def test_wrong_annotations_hold_nobody_back() -> None:
    given = check(facts(bootstrap=bootstrap(hook="PostSync")), NOW)
    infos = [REASONS[one.reason] for one in given]
    assert all(
        info.leads is Leads.NOTE or (info.leads, info.severity) == (Leads.REPAIR, Severity.WARNING)
        for info in infos
    )


def test_a_redirect_uri_that_is_missing_though_both_jobs_completed_rests_on_nothing() -> None:
    given = facts(clients=clients(client("gitlab")))
    (found,) = check(given, NOW)
    assert rests_on(given, found) == frozenset()


def test_a_redirect_uri_that_the_patcher_has_still_to_bring_waits_as_the_patcher_does() -> None:
    given = facts(clients=clients(client("gitlab")), patcher=failed_patcher())
    (found,) = [one for one in check(given, NOW) if one.reason in REDIRECTS]
    assert rests_on(given, found) == {f"dev/{name}" for name in RESTS_ON}


def test_each_repair_that_waits_for_others_is_of_a_symptom() -> None:
    assert all(REASONS[one].symptom for one in (*ABSENT, *RERUN, *REDIRECTS))


# -- how it is said ---------------------------------------------------------------------------------


def test_the_redirect_uris_of_others_are_counted_and_not_shown() -> None:
    (found,) = check(facts(clients=clients(client("gitlab", OTHER))), NOW)
    assert found.message == f"client gitlab accepts 1 other redirect URI, and not {CALLBACK}"


def test_an_annotation_that_is_no_phase_is_not_repeated() -> None:
    found = check(facts(bootstrap=bootstrap(hook="hunter2")), NOW)
    assert "hunter2" not in str(found)


def test_an_order_that_is_wrong_says_what_is_and_what_should_be() -> None:
    found = {one.reason: one for one in check(facts(bootstrap=bootstrap(hook="PostSync", wave=10)), NOW)}
    assert found[Reason.HOOKS_MISORDERED].message == (
        "the master bootstrap should come before the client patcher: PostSync wave 10, then Sync wave 2"
    )
    assert found[Reason.HOOKS_MISORDERED].subject == facts().values_id


def test_without_values_an_order_that_is_wrong_is_told_of_the_bootstrap() -> None:
    given = facts(bootstrap=bootstrap(hook="PostSync"), patcher=failed_patcher(), declared=hooks(values=None))
    found = {one.reason: one for one in check(given, NOW)}
    assert found[Reason.HOOKS_MISORDERED].subject == given.bootstrap_id
    assert REASONS[Reason.HOOK_KEY_UNDECLARED].leads is Leads.PERSON
    assert Reason.HOOK_KEY_UNDECLARED in found


# -- a redirect URI that does not stay --------------------------------------------------------------


@pytest.mark.parametrize("confirmed", [True, False], ids=["and confirmed", "and nobody confirmed it"])
@pytest.mark.parametrize(
    ("times", "expected"), [(1, Reason.REDIRECT_URI_MISSING), (2, Reason.REDIRECT_URI_TAKEN_AWAY)]
)
def test_a_redirect_uri_that_was_added(times: int, expected: Reason, *, confirmed: bool) -> None:
    made = [
        attempt("keycloak.redirect", age=timedelta(hours=one), confirmed=confirmed)
        for one in range(times, 0, -1)
    ]
    subject = facts().redirect_id("gitlab", CALLBACK)
    given = facts(clients=clients(client("gitlab")), tries=tried(subject, *made))
    assert reasons(check(given, NOW)) == [expected]


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert set(REASONS) == set(Reason)
    assert all(info.means.endswith(".") and info.remedy.endswith(".") for info in REASONS.values())
