"""What operators search for and docs/reasons.md is indexed by.

A code is public. It may be retired, its page kept; it never gets a second meaning. Faults that foreign texts
tell of and that no responder looks after have the codes of shared.failure_texts.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Final

from shared.failure_texts import TABLE, FailureText
from shared.model import Severity
from shared.world import Leads, ReasonInfo, finding_of


class Reason(StrEnum):
    APPLICATIONS_UNREAD = "ApplicationsUnread"
    APPLICATIONS_NOT_SERVED = "ApplicationsNotServed"
    NO_APPLICATION_FITS = "NoApplicationFits"
    APPLICATION_HELD_UP = "ApplicationHeldUp"
    SYNC_NOT_RETRIED = "SyncNotRetried"
    SYNC_LEFT_TO_PEOPLE = "SyncLeftToPeople"
    APPLICATION_REFRESHING = "ApplicationRefreshing"
    APPLICATION_SYNCING = "ApplicationSyncing"
    APPLICATION_NOT_REFRESHED = "ApplicationNotRefreshed"
    APPLICATION_STILL_FAILS = "ApplicationStillFails"
    ROOT_NOT_WATCHED = "RootNotWatched"
    FAILURE_UNKNOWN = "FailureUnknown"
    APPLICATION_UNHEALTHY = "ApplicationUnhealthy"
    APPLICATION_SETTLING = "ApplicationSettling"
    APPLICATION_NOT_DEPLOYED = "ApplicationNotDeployed"
    NOT_COMPARED = "NotCompared"
    OPERATION_NOT_BEGUN = "OperationNotBegun"
    OPERATION_STUCK = "OperationStuck"
    OPERATION_STOPPED = "OperationStopped"
    OPERATION_FAILED_BEFORE = "OperationFailedBefore"
    APPLICATION_LEFT_ALONE = "ApplicationLeftAlone"


_NOTHING: Final = "Nothing: Reconverge looks again."
_READ: Final = (
    "Read it in Argo CD (`argocd app get <name>`, or the Application's status): Reconverge never repeats "
    "foreign texts, since they may hold anything."
)


def _person(means: str, remedy: str, *, symptom: bool = False) -> ReasonInfo:
    return ReasonInfo(Leads.PERSON, Severity.ERROR, means, remedy, symptom)


def _wait(means: str, remedy: str = _NOTHING) -> ReasonInfo:
    return ReasonInfo(Leads.WAIT, Severity.NOTE, means, remedy)


def _note(means: str, remedy: str) -> ReasonInfo:
    return ReasonInfo(Leads.NOTE, Severity.WARNING, means, remedy)


def _of_row(row: FailureText) -> ReasonInfo:
    leads = Leads.WAIT if row.passes else Leads.PERSON
    return ReasonInfo(leads, Severity.ERROR, row.cause, row.remedy)


REASONS: Final[Mapping[str, ReasonInfo]] = {
    Reason.APPLICATIONS_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "The Applications could not be listed. There is no verdict on them and no write.",
        "Look at the code in the message. 403: deploy/kubernetes/applications.yaml holds the role that the "
        "app needs. Not reached: the app needs a way into the network of a private cluster.",
    ),
    Reason.APPLICATIONS_NOT_SERVED: _person(
        "The API server does not serve Applications: Argo CD is not installed, as after a rebuild whose "
        "bootstrap is still to come.",
        "Bootstrap Argo CD, or correct argocd.cluster in the landscape.",
    ),
    Reason.NO_APPLICATION_FITS: _note(
        "No Application has a name that a pattern of the environment stands for.",
        "Correct argocd.namespace or argocd.applications in the landscape, unless none is deployed yet.",
    ),
    Reason.APPLICATION_HELD_UP: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "The Application fails of a fault that is another responder's to mend, or of one that should have "
        "passed by now. While that fault is found, the Application waits for it. Once it is mended, Argo CD"
        " may go on telling of it, from its cache.",
        "Allow application.refresh, or refresh it by hand (`argocd app get <name> --hard-refresh`).",
        symptom=True,
    ),
    Reason.SYNC_NOT_RETRIED: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "What the last sync failed of is mended, and Argo CD can compare the Application again; but "
        "auto-sync does not try a revision again that failed once.",
        "Allow application.sync, or sync it by hand (`argocd app sync <name>`).",
        symptom=True,
    ),
    Reason.SYNC_LEFT_TO_PEOPLE: _person(
        "The last sync failed of a fault that is mended or should have passed, and the Application has no "
        "automated sync: people choose when it is synced, and to which revision.",
        "Sync it (`argocd app sync <name>`) once what the branch has now may be deployed.",
        symptom=True,
    ),
    Reason.APPLICATION_REFRESHING: _wait("Argo CD was asked to look at the Application anew."),
    Reason.APPLICATION_SYNCING: _wait(
        "A sync is asked for, or is running of an Application that fails or because Reconverge began it."
    ),
    Reason.APPLICATION_NOT_REFRESHED: _person(
        "Argo CD was asked to look at the Application anew, and has not done so for minutes.",
        "See whether the application controller runs, is overloaded, or has another shard for this cluster.",
    ),
    Reason.APPLICATION_STILL_FAILS: _person(
        "Reconverge did what it could in just this situation, and the Application fails as before or hangs "
        "again, while no responder finds the fault that it tells of. No more than three refreshes and three "
        "syncs a day are made for the same fault, and no second operation of a day is stopped.",
        _READ,
        symptom=True,
    ),
    Reason.ROOT_NOT_WATCHED: _person(
        "The Application fails of a fault that a responder could look after, and none does in this "
        "environment.",
        "See the page of the code in the message. To have the fault looked after, declare the responder's "
        "section in the landscape.",
    ),
    Reason.FAILURE_UNKNOWN: _person(
        "The Application fails, and no text of it is known to Reconverge. It does not guess.",
        _READ,
    ),
    Reason.APPLICATION_UNHEALTHY: _person(
        "Resources of the Application are Degraded or Missing, or its health has been Progressing or Unknown "
        "for ten minutes and more.",
        "See the resources that the message names, or all of them in Argo CD.",
        symptom=True,
    ),
    Reason.APPLICATION_SETTLING: _wait(
        "Resources of the Application are Degraded or Missing moments after its last sync, or its health is "
        "Progressing or Unknown, and may still settle.",
    ),
    Reason.APPLICATION_NOT_DEPLOYED: _wait(
        "Resources of the Application are Missing, and it differs from Git: its turn is still to come, as in "
        "a rollout in phases, or somebody deleted them.",
        "If it stays so, see what holds its phase up, or sync it: Reconverge syncs only what failed.",
    ),
    Reason.NOT_COMPARED: _wait(
        "Argo CD has not compared the Application, or cannot tell whether it differs, and says of no error.",
        "If it stays so, see the application controller.",
    ),
    Reason.OPERATION_NOT_BEGUN: _person(
        "Argo CD was asked to sync the Application, and has not begun for minutes.",
        "See whether the application controller runs, is overloaded, or has another shard for this cluster.",
    ),
    Reason.OPERATION_STUCK: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "An operation runs for longer than is plausible, as where a hook waits for an image that cannot be "
        "pulled. Until it ends, nothing of the Application is synced.",
        "See what the operation waits for. It goes on by itself once that is there; otherwise stop it "
        "(`argocd app terminate-op <name>`), or name application.terminate in the contract's actions.",
        symptom=True,
    ),
    Reason.OPERATION_STOPPED: _person(
        "Somebody stopped the last operation, and auto-sync does not try that revision again; neither does "
        "Reconverge, unless it stopped the operation itself and knows who looks after what that waited for.",
        "See that what it was waiting for is there, then sync it (`argocd app sync <name>`).",
    ),
    Reason.OPERATION_FAILED_BEFORE: _note(
        "The last operation failed, while the Application is Synced and Healthy: the failure is of the "
        "past, or of hooks alone, which nothing makes run again.",
        "If its hooks still have to run (`argocd app get <name> --show-operation`), sync it by hand.",
    ),
    Reason.APPLICATION_LEFT_ALONE: _note(
        "The Application fails, and is being deleted or excluded from reconciliation: nothing is done about"
        " it.",
        "Take the annotation argocd.argoproj.io/skip-reconcile away, or see what holds the deletion up.",
    ),
    **{row.code: _of_row(row) for row in TABLE if row.responder is None},
}

finding: Final = partial(finding_of, REASONS)
