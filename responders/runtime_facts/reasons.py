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
    FACTS_UNREAD = "FactsUnread"
    NO_LIVE_CLUSTER = "NoLiveCluster"
    REPOSITORY_UNREADABLE = "RepositoryUnreadable"
    FACTS_FILE_MISSING = "FactsFileMissing"
    FACTS_FILE_NOT_YAML = "FactsFileNotYaml"
    FIELD_UNKNOWN = "FieldUnknown"
    FACT_NOT_SCALAR = "FactNotScalar"
    RESOURCE_OUTSIDE_SUBSCRIPTION = "ResourceOutsideSubscription"
    RESOURCE_MISSING = "ResourceMissing"
    FACT_MISSING = "FactMissing"
    FACT_MALFORMED = "FactMalformed"
    FACT_DIFFERS = "FactDiffers"
    PULL_REQUEST_OPEN = "PullRequestOpen"
    PULL_REQUEST_DECLINED = "PullRequestDeclined"
    PULL_REQUEST_SUPERSEDED = "PullRequestSuperseded"
    WORKFLOW_RUNNING = "WorkflowRunning"
    WORKFLOW_UNAVAILABLE = "WorkflowUnavailable"
    WORKFLOW_REFUSED = "WorkflowRefused"
    WORKFLOW_FAILED = "WorkflowFailed"
    PUBLICATION_SETTLING = "PublicationSettling"
    PUBLISHED_STILL_DIFFERS = "PublishedStillDiffers"


_REPAIRED: Final = "Reconverge brings it to the true value where the contract allows facts.update."

REASONS: Final[Mapping[str, ReasonInfo]] = {
    Reason.FACTS_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "What a fact must equal, or how its change fares, could not be read. Nothing of its file is changed.",
        "Look at the status and code in the message. 401 and 403: the app's identity lacks a role, or its "
        "GitHub token a permission (see permissions). 429 and 5xx pass by themselves.",
    ),
    Reason.NO_LIVE_CLUSTER: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "ARM knows none of the environment's clusters, so there is nobody to publish facts for.",
        "While it is being rebuilt: nothing, its creation wakes Reconverge. Otherwise take the environment's "
        "facts out of the landscape.",
    ),
    Reason.REPOSITORY_UNREADABLE: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "The repository of a facts file, or its branch, could not be read. It may be missing, or private and "
        "closed to the token: GitHub answers 404 to both.",
        "Check the repository and branch in the landscape, and that the token in RECONVERGE_GITHUB_TOKEN may "
        "read its contents. Argo CD cannot render from it either while nobody can read it.",
    ),
    Reason.FACTS_FILE_MISSING: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The repository and the branch are there, the facts file is not.",
        "Let its owning workflow publish it, or correct its path in the landscape. Reconverge creates no "
        "facts file: it knows only the declared fields.",
    ),
    Reason.FACTS_FILE_NOT_YAML: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The facts file is not one YAML document, so no reader can use any of its facts.",
        "Look at the last commits to the file; let its owning workflow publish it again.",
    ),
    Reason.FIELD_UNKNOWN: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The keys of a declared field do not lead to it: what should be a mapping is missing or something "
        "else, or comes from an anchor or a merge.",
        "Correct the field in the landscape, or the layout of the file.",
    ),
    Reason.FACT_NOT_SCALAR: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "Where one value belongs stands a list, a mapping, a text of several lines, an anchor or an alias.",
        "Correct the field in the landscape, or the file.",
    ),
    Reason.RESOURCE_OUTSIDE_SUBSCRIPTION: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The landscape takes a fact from a resource in another subscription than any live cluster of the "
        "environment: that is the old platform's, or the landscape is wrong. It is never published.",
        "Correct the resource's id in the landscape. No credential of that resource is touched either.",
    ),
    Reason.RESOURCE_MISSING: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "ARM knows no resource of the id that a fact is taken from. The published value is left as it is.",
        "Let Terraform create it, or correct the id in the landscape.",
    ),
    Reason.FACT_MISSING: ReasonInfo(
        Leads.REPAIR, Severity.ERROR, "A declared field of the facts file is absent or empty.", _REPAIRED
    ),
    Reason.FACT_MALFORMED: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "A fact has not the form of what it tells: no GUID, no address, or a number where a text belongs. "
        "The value is not shown, since nobody knows what it is.",
        _REPAIRED,
    ),
    Reason.FACT_DIFFERS: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "A published fact is well-formed and names something else than the live resource: often that of the "
        "platform before the rebuild. Workloads that follow it fail with AADSTS700211, AADSTS700016 or "
        "missing secrets, whose credentials are not at fault.",
        _REPAIRED + " It touches no credential for it.",
    ),
    Reason.PULL_REQUEST_OPEN: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "The pull request with the change is open and waits for people.",
        "Review and merge it. Closing it without merging tells Reconverge that the change is not wanted.",
    ),
    Reason.PULL_REQUEST_DECLINED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "Somebody closed the pull request with this very change without merging it. None is opened again.",
        "Reopen and merge it, or correct the landscape if the change is wrong.",
    ),
    Reason.PULL_REQUEST_SUPERSEDED: ReasonInfo(
        Leads.REPAIR,
        Severity.WARNING,
        "A pull request of Reconverge is still open although its change is not needed any more.",
        "Reconverge closes it with a comment where the contract allows facts.update.",
    ),
    Reason.WORKFLOW_RUNNING: ReasonInfo(
        Leads.WAIT,
        Severity.NOTE,
        "The workflow that publishes the facts is waiting or running.",
        "Nothing: Reconverge looks again. A run that waits for a deployment approval needs it.",
    ),
    Reason.WORKFLOW_UNAVAILABLE: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The workflow that should publish the facts does not exist, is not visible, or is switched off.",
        "Enable it, correct `workflow` in the landscape, or choose the channel pull-request.",
    ),
    Reason.WORKFLOW_REFUSED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "GitHub refused to start the workflow: it was switched off or removed meanwhile, the token may not "
        "start it, or it takes no such branch or inputs. Nothing was started.",
        "Look at the status in the message. 401 and 403: renew the token, or give it Actions: write. 404: "
        "correct `workflow`, or let the token see its repository. 422: enable the workflow, give it the "
        "trigger workflow_dispatch, and correct `ref` and `inputs` in the landscape.",
    ),
    Reason.WORKFLOW_FAILED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The workflow was started for this change and failed, was cancelled, or never began. It is not "
        "started again for the same change.",
        "Look at the run, mend what stopped it, and run the workflow again by hand.",
    ),
    Reason.PUBLICATION_SETTLING: ReasonInfo(
        Leads.WAIT,
        Severity.NOTE,
        "The change has just been made, and the file was read too soon to judge it.",
        "Nothing: Reconverge looks again.",
    ),
    Reason.PUBLISHED_STILL_DIFFERS: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The change was published, and the facts are wrong in the same way all the same: the workflow reads "
        "another state, or somebody put the old value back.",
        "Find who writes the file (its last commits name them) and from which state; often a Terraform state "
        "of the subscription before the rebuild.",
    ),
}

finding: Final = partial(finding_of, REASONS)
