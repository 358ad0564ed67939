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
    GITLAB_UNREAD = "GitLabUnread"
    GITLAB_NOT_DEPLOYED = "GitLabNotDeployed"
    MIGRATIONS_RUNNING = "MigrationsRunning"
    MIGRATIONS_TAKE_TOO_LONG = "MigrationsTakeTooLong"
    MIGRATIONS_MISSING = "MigrationsMissing"
    GITLAB_DATABASE_CONFIG_REFUSED = "GitLabDatabaseConfigRefused"
    CI_DATABASE_NOT_MAINS = "CiDatabaseNotMains"
    CI_DATABASE_NOT_THERE = "CiDatabaseNotThere"
    CI_DATABASE_OWN = "CiDatabaseOwn"
    CI_DATABASE_IN_USE = "CiDatabaseInUse"
    CI_DATABASE_UNREADABLE = "CiDatabaseUnreadable"
    DATABASE_TASKS_WRONG = "DatabaseTasksWrong"
    CONFIG_REFUSED_BEFORE = "GitLabDatabaseConfigRefusedBefore"
    CONFIG_REFUSED_AS_MAPPED = "GitLabDatabaseConfigRefusedAsMapped"
    MIGRATIONS_DATABASE_UNREACHABLE = "MigrationsDatabaseUnreachable"
    MIGRATIONS_PASSWORD_REFUSED = "MigrationsPasswordRefused"  # noqa: S105 (a code, not a secret; so below)
    MIGRATIONS_DATABASE_MISSING = "MigrationsDatabaseMissing"
    MIGRATIONS_EXTENSION_MISSING = "MigrationsExtensionMissing"
    MIGRATIONS_LOCKED = "MigrationsLocked"
    MIGRATIONS_IMAGE_NOT_PULLED = "MigrationsImageNotPulled"
    MIGRATIONS_TIMED_OUT = "MigrationsTimedOut"
    MIGRATIONS_FAILED = "MigrationsFailed"
    MIGRATIONS_STILL_FAIL = "MigrationsStillFail"
    MIGRATIONS_CAUSE_MENDED = "MigrationsCauseMended"
    DATABASE_STILL_REFUSES = "GitLabDatabaseStillRefuses"
    MIGRATIONS_MAPPING_UNDECLARED = "MigrationsMappingUndeclared"
    MIGRATIONS_SUFFIX_UNDECLARED = "MigrationsSuffixUndeclared"
    MIGRATIONS_CHANGE_OPEN = "MigrationsChangeOpen"
    MIGRATIONS_CHANGE_DECLINED = "MigrationsChangeDeclined"
    MIGRATIONS_CHANGE_SUPERSEDED = "MigrationsChangeSuperseded"
    MIGRATIONS_CHANGE_SETTLING = "MigrationsChangeSettling"
    MIGRATIONS_CHANGE_UNDONE = "MigrationsChangeUndone"
    MIGRATIONS_VALUES_MISSING = "MigrationsValuesMissing"
    MIGRATIONS_VALUES_UNEDITABLE = "MigrationsValuesUneditable"
    MIGRATIONS_NOT_SYNCED = "MigrationsNotSynced"
    GITLAB_SYNCING = "GitLabSyncing"
    GITLAB_NOT_COMPARED = "GitLabNotCompared"
    GITLAB_SYNC_IN_VAIN = "GitLabSyncInVain"
    GITLAB_SYNC_LEFT_TO_PEOPLE = "GitLabSyncLeftToPeople"
    GITLAB_SECRET_MISSING = "GitLabSecretMissing"  # noqa: S105
    GITLAB_IMAGE_NOT_PULLED = "GitLabImageNotPulled"
    GITLAB_STARTING = "GitLabStarting"
    GITLAB_DOES_NOT_START = "GitLabDoesNotStart"
    GITLAB_STILL_INITIALISING = "GitLabStillInitialising"
    GITLAB_NOT_READY = "GitLabNotReady"
    GITLAB_PAGE_FAILS = "GitLabPageFails"
    GITLAB_UNREACHABLE = "GitLabUnreachable"
    GITLAB_PAGE_MISSING = "GitLabPageMissing"
    GITLAB_MONITORING_NOT_ALLOWED = "GitLabMonitoringNotAllowed"
    GITLAB_PAGE_UNPROVEN = "GitLabPageUnproven"


_NOTHING: Final = "Nothing: Reconverge looks again."
_RERUN: Final = (
    "While a root of this is broken, that is mended first. A finished Job of that name never runs again, so"
    " Reconverge then proposes another suffix, where the contract allows gitlab.rerun; no more than two of a"
    " day for the same failure."
)
_SYNC: Final = "Sync the Application by hand (`argocd app sync <name>`)."


def _person(means: str, remedy: str, *, symptom: bool = False) -> ReasonInfo:
    return ReasonInfo(Leads.PERSON, Severity.ERROR, means, remedy, symptom)


def _wait(
    means: str, remedy: str = _NOTHING, severity: Severity = Severity.NOTE, *, symptom: bool = False
) -> ReasonInfo:
    return ReasonInfo(Leads.WAIT, severity, means, remedy, symptom)


def _note(means: str, remedy: str) -> ReasonInfo:
    return ReasonInfo(Leads.NOTE, Severity.WARNING, means, remedy)


def _repair(means: str, remedy: str, *, symptom: bool = False) -> ReasonInfo:
    return ReasonInfo(Leads.REPAIR, Severity.ERROR, means, remedy, symptom)


def _rerun(means: str) -> ReasonInfo:
    return _repair(means, _RERUN, symptom=True)


REASONS: Final[Mapping[str, ReasonInfo]] = {
    Reason.GITLAB_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "A value that the verdict rests on could not be read. There is no verdict on it and no write.",
        "Look at the system and code in the message. 403 of the API server: "
        "deploy/kubernetes/gitlab-migrations.yaml holds the role that the app needs. 401 and 403 of GitHub: "
        "its token lacks a permission. 429 and 5xx pass by themselves.",
    ),
    # Whoever would sync a failed Application must not wait for what only that sync brings.
    Reason.GITLAB_NOT_DEPLOYED: ReasonInfo(
        Leads.WAIT,
        Severity.ERROR,
        "The namespace has neither a migrations Job nor pods of the release: its turn is still to come, as "
        "in a rollout in phases, or its manifests cannot be rendered.",
        "If it stays so, see the Application that deploys it, or correct gitlab.release and "
        "gitlab.namespace in the landscape.",
        symptom=True,
        explains=False,
    ),
    # -- the migrations
    Reason.MIGRATIONS_RUNNING: _wait(
        "Migrations are running. A new database takes ten minutes and more. Nothing is run beside them."
    ),
    Reason.MIGRATIONS_TAKE_TOO_LONG: _person(
        "The migrations Job has been running for an hour and more, and has not ended by its own deadline.",
        "Read its log (`kubectl logs job/<name>`). Reconverge stops no migration: it may be in the middle "
        "of a change of the schema.",
        symptom=True,
    ),
    Reason.MIGRATIONS_MISSING: _repair(
        "There is no migrations Job, while pods of the release wait for the schema: it was deleted, or its "
        "time to live ended before it was needed again.",
        "Reconverge syncs the Application, which makes the Job anew, where the contract allows"
        " application.sync.",
        symptom=True,
    ),
    Reason.GITLAB_DATABASE_CONFIG_REFUSED: _repair(
        "GitLab's check of its databases rejects how `main` and `ci` are set up, so nothing is migrated: "
        "the web answers 500, and pods wait for the schema.",
        "Reconverge proposes to let `ci` be main's database, by the key that the landscape declares, where "
        "the contract allows gitlab.map. Database, host and port must all be written as main's are. The "
        "change renames the Job, so that it runs again. Close the pull request where `ci` is meant to have "
        "a database of its own: what is in that would be out of GitLab's sight.",
    ),
    Reason.CI_DATABASE_NOT_MAINS: _note(
        "The migrations are complete, but as `ci` is rendered now, GitLab's check of its databases would"
        " reject it the next time they run. What is in ci's database is not known, so nothing is proposed.",
        "If `ci` is meant to share main's database, map it to that; if it has one of its own, let the chart "
        "decide on databaseTasks of `ci`.",
    ),
    Reason.CI_DATABASE_IN_USE: _person(
        "GitLab's check of its databases rejects how `ci` is set up, apart from main and without tasks, and "
        "pods of GitLab have served: ci's database may have the data of CI, which a mapping to main would "
        "put out of sight. Nothing is proposed.",
        "If `ci` never had a database of its own, map it to main's (gitlab.global.psql.ci: database, host "
        "and port as main's are). If it has, leave databaseTasks of `ci` unset, so that the chart decides.",
    ),
    Reason.CI_DATABASE_NOT_THERE: _repair(
        "The migrations are complete, and `ci` is rendered as another database than main's, which does not "
        "answer: pods wait for it, and none has ever come past that.",
        "Reconverge proposes to let `ci` be main's database, where the contract allows gitlab.map. Close "
        "the pull request where `ci` is meant to have its own, and see why that does not answer.",
        symptom=True,
    ),
    Reason.CI_DATABASE_OWN: ReasonInfo(
        Leads.NOTE,
        Severity.NOTE,
        "`ci` has a database of its own, and the migrations are complete with it. Reconverge does not touch"
        " that: the data of CI is there.",
        "Nothing, if two databases are meant.",
    ),
    Reason.DATABASE_TASKS_WRONG: _note(
        "The migrations are complete, but as rendered now, both of `main` and `ci` do Rails' tasks on one "
        "database, or main does none: GitLab's check would reject that the next time they run.",
        "Leave databaseTasks of main and ci unset in the chart's values, so that the chart decides.",
    ),
    Reason.CI_DATABASE_UNREADABLE: _person(
        "GitLab's check rejects how its databases are set up, and the rendered database.yml.erb does not tell"
        " what main's database is, so there is nothing to map `ci` to.",
        "Set database, host and port of `ci` to main's in the chart's values (gitlab.global.psql.ci).",
    ),
    Reason.CONFIG_REFUSED_BEFORE: _repair(
        "GitLab's check rejected how its databases were set up. Since then the Application was synced, as "
        "rendered now nothing is wrong with them, and no new Job came of it.",
        "Reconverge proposes another suffix of the Job's name, so that it runs again, where the contract "
        "allows gitlab.rerun.",
    ),
    Reason.CONFIG_REFUSED_AS_MAPPED: _person(
        "GitLab's check rejects how its databases are set up, although `ci` is main's database as rendered "
        "or has one of its own, or main itself is what is wrong. The evidence names the rule, as far as the "
        "log tells it.",
        "Leave databaseTasks of main and ci unset in the chart's values, so that the chart decides, and see "
        "that host, port and database of both are the same texts. The check can be switched off by "
        "GITLAB_VALIDATE_DATABASE_CONFIG=0, at the risk of migrations that fail half-way.",
    ),
    Reason.MIGRATIONS_DATABASE_UNREACHABLE: _rerun(
        "The migrations Job failed since it could not connect to the database.",
    ),
    Reason.MIGRATIONS_PASSWORD_REFUSED: _rerun(
        "The migrations Job failed since the database did not let it in: password, user or address.",
    ),
    Reason.MIGRATIONS_DATABASE_MISSING: _person(
        "The migrations Job failed since the database server has no database of the rendered name.",
        "See the database cluster's bootstrap, or correct global.psql.database in the chart's values. An "
        "empty database in the place of a lost one is never made by Reconverge. Then change the suffix of "
        "the Job's name in Git.",
    ),
    Reason.MIGRATIONS_EXTENSION_MISSING: _person(
        "The migrations Job failed since the database lacks an extension that GitLab needs, and its user "
        "may not create it.",
        "Let the database's owner create it (pg_trgm, btree_gist, amcheck; plpgsql is there), then change the"
        " suffix of the Job's name in Git. https://docs.gitlab.com/install/requirements/#postgresql",
    ),
    Reason.MIGRATIONS_LOCKED: _repair(
        "The migrations Job failed since somebody else held a lock: another migration, or a long statement.",
        _RERUN,
    ),
    Reason.MIGRATIONS_IMAGE_NOT_PULLED: _rerun(
        "The migrations Job ran into its deadline while its image could not be pulled.",
    ),
    Reason.MIGRATIONS_TIMED_OUT: _rerun(
        "The migrations Job ran into its deadline, or a statement of it into the database's time limit.",
    ),
    Reason.MIGRATIONS_FAILED: _person(
        "The migrations Job failed, and nothing that its log said or says is known to Reconverge. It does not"
        " guess.",
        "Read the log, if its pods are still there (`kubectl logs job/<name>`); Reconverge never repeats "
        "foreign texts. Once the cause is gone, change the suffix of the Job's name in Git.",
        symptom=True,
    ),
    Reason.MIGRATIONS_STILL_FAIL: _person(
        "The migrations failed of the same again, after two changes of the suffix within a day. There will "
        "be no third.",
        "Read the Job's log. Reconverge begins anew a day after the first change.",
        symptom=True,
    ),
    Reason.MIGRATIONS_CAUSE_MENDED: _wait(
        "What the migrations failed of, or GitLab waits for, was mended a moment ago, and the database gets "
        "its time before anything is run again.",
        symptom=True,
    ),
    Reason.DATABASE_STILL_REFUSES: _person(
        "The migrations Job failed of its database or is missing, and pods that wait for the schema say that "
        "the database does not answer them. Migrations are not run again before it does.",
        "See the database: its cluster's state, its Service, and whether the Secret that GitLab has is what "
        "the role's password is.",
        symptom=True,
    ),
    # -- the change in Git
    Reason.MIGRATIONS_MAPPING_UNDECLARED: _person(
        "The landscape declares no key by which `ci` could be mapped, so nothing can be proposed.",
        "Make the change that the message names, or declare gitlab.migrations.values and"
        " gitlab.migrations.ci.",
    ),
    Reason.MIGRATIONS_SUFFIX_UNDECLARED: _person(
        "The landscape declares no key that the suffix of the Job's name is made of, so nothing can be "
        "proposed.",
        "Make the change that the message names, or declare gitlab.migrations.values and"
        " gitlab.migrations.suffix.",
        symptom=True,
    ),
    Reason.MIGRATIONS_CHANGE_OPEN: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "A pull request with the change that is needed waits for people.",
        "Merge it, or close it if it is not wanted: Reconverge does not open it again then.",
    ),
    Reason.MIGRATIONS_CHANGE_DECLINED: _person(
        "Somebody closed the pull request without merging it. Reconverge does not open it again.",
        "Make the change by hand, or reopen the pull request.",
    ),
    Reason.MIGRATIONS_CHANGE_SUPERSEDED: ReasonInfo(
        Leads.REPAIR,
        Severity.NOTE,
        "An open pull request of Reconverge's carries a change that nobody needs any more.",
        "Reconverge closes it where the contract allows the change that it carries.",
    ),
    Reason.MIGRATIONS_CHANGE_SETTLING: _wait("The change was merged a moment ago, and may not be seen yet."),
    Reason.MIGRATIONS_CHANGE_UNDONE: _person(
        "The change was merged, and the file says within a day again what it said before: somebody wants it "
        "so.",
        "See the file's history. Reconverge does not fight for a value.",
    ),
    Reason.MIGRATIONS_VALUES_MISSING: _person(
        "The repository and the branch are there, the declared file of values is not.",
        "Correct gitlab.migrations.values in the landscape.",
    ),
    Reason.MIGRATIONS_VALUES_UNEDITABLE: _person(
        "The layout of the file of values allows no edit of the declared keys, such as where an anchor or a "
        "list stands in the way.",
        "Make the change that the message names by hand, or correct the keys in the landscape.",
    ),
    # -- the sync
    Reason.MIGRATIONS_NOT_SYNCED: _repair(
        "Git has the change that is needed, and the cluster does not show it yet.",
        "Reconverge syncs the Application where the contract allows application.sync. Otherwise sync it by "
        "hand (`argocd app sync <name>`).",
    ),
    Reason.GITLAB_SYNCING: _wait(
        "Argo CD is syncing the Application, or was asked to a moment ago. Nothing is asked for beside it."
    ),
    Reason.GITLAB_NOT_COMPARED: _wait(
        "A sync is needed, and Argo CD cannot compare the Application with Git: it cannot read or render "
        "its sources.",
        "See what the Application's conditions say, which the responder applications explains.",
        Severity.ERROR,
        symptom=True,
    ),
    Reason.GITLAB_SYNC_IN_VAIN: _person(
        "Git has the change that is needed, and Argo CD was asked to sync in just this situation; the cluster"
        " does not show it all the same.",
        "See what the last operation says (`argocd app get <name> --show-operation`), and whether the"
        " Application renders from the declared file and branch.",
    ),
    Reason.GITLAB_SYNC_LEFT_TO_PEOPLE: _person(
        "A sync is needed, and Reconverge can ask nobody for it: the environment declares no argocd, there "
        "is no such Application, or it has no automated sync, is being deleted, or excluded from "
        "reconciliation.",
        _SYNC,
    ),
    # -- the pods
    Reason.GITLAB_SECRET_MISSING: _wait(
        "A container cannot be made, since a Secret or a key of it that it names is missing"
        " (CreateContainerConfigError).",
        "Nothing at first: the kubelet tries again, and what should bring the Secret is looked after by"
        " vault_seeding and keycloak_bootstrap.",
        Severity.ERROR,
        symptom=True,
    ),
    Reason.GITLAB_IMAGE_NOT_PULLED: _wait(
        "A node could not pull an image of GitLab's.",
        "Nothing at first: the node tries again. Where the registry refuses, see ghcr-pull, which "
        "vault_seeding looks after.",
        Severity.ERROR,
        symptom=True,
    ),
    Reason.GITLAB_STARTING: _wait(
        "GitLab's pods are young, or the schema came a moment ago: they may still start."
    ),
    Reason.GITLAB_DOES_NOT_START: _person(
        "A container of GitLab's has not been made for minutes, while nothing that it rests on is known to be"
        " broken.",
        "Read the pod's Events (`kubectl describe pod <name>`): they name the Secret, the key or the image.",
        symptom=True,
    ),
    Reason.GITLAB_STILL_INITIALISING: _person(
        "The schema is there, and pods still wait in an init container. It is not the schema that they"
        " wait for.",
        "Read the log of its container `dependencies`: it waits for Redis, Gitaly, or a schema of another"
        " version, as where image and migrations differ. Running the migrations again would change nothing.",
        symptom=True,
    ),
    Reason.GITLAB_NOT_READY: _person(
        "The schema is there, and the newest pod of a workload is not ready, or there is none.",
        "Read the log of its pod, and the Events of its Deployment.",
        symptom=True,
    ),
    # -- the web
    Reason.GITLAB_PAGE_FAILS: _person(
        "The migrations are complete, the webservice is ready, and the page answers 5xx all the same, or "
        "leads back to itself without an end. That is no fault of the migrations, and they are not run again "
        "for it.",
        "Where the message names a code, see its page: with ObjectStorageKeyUnknown the object storage lost "
        "its users (CronJob data-minio-users-reconciler). Otherwise read the webservice's log. Where the "
        "page leads back to itself, see that GitLab and the proxies in front of it agree on address and "
        "scheme (global.hosts, X-Forwarded-Proto).",
        symptom=True,
    ),
    Reason.GITLAB_UNREACHABLE: _person(
        "Nobody answers at GitLab's address, while its pods are ready.",
        "See name, gateway, load balancer and certificate, in this order, and whether Reconverge has a way "
        "into that network. A code of 5xx would be an answer.",
        symptom=True,
    ),
    Reason.GITLAB_PAGE_MISSING: _person(
        "GitLab's address answers 404 to a page that every GitLab has: somebody else answers there.",
        "See the route (HTTPRoute platform-gitlab to Workhorse's port 8181) and the edge in front of it, or"
        " correct gitlab.url and gitlab.page in the landscape.",
        symptom=True,
    ),
    Reason.GITLAB_MONITORING_NOT_ALLOWED: _note(
        "GitLab answers 404 to its monitoring pages unless the caller is on their allow-list. It is not down,"
        " and nothing is known of its database by that page.",
        "Declare a page that GitLab makes with its database, such as /users/sign_in, as gitlab.page.",
    ),
    Reason.GITLAB_PAGE_UNPROVEN: _person(
        "The page answers, and its answer proves nothing of the database: somebody in front of it asks for"
        " more, or it does not let us in. That does not say that GitLab is down, nor that it is well.",
        "401 and 403 come from a proxy or an allow-list in front of GitLab, as a rule: let Reconverge"
        " through, or, where a proxy with a sign-on of its own is meant to stand there, declare a page that"
        " it shows to everybody as gitlab.page. Where the message says that the page leads elsewhere, correct"
        " gitlab.url, or the gateway; as GitLab's sign-on only the environment's keycloak.url is known.",
    ),
}

finding: Final = partial(finding_of, REASONS)
