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
    TRACKED_REVISION_UNREAD = "TrackedRevisionUnread"
    SUBMODULES_UNREAD = "SubmodulesUnread"
    SUBMODULES_BEYOND_BOUND = "SubmodulesBeyondBound"
    SUBMODULE_URL_MISSING = "SubmoduleUrlMissing"
    SUBMODULE_URL_NOT_ASKED = "SubmoduleUrlNotAsked"
    SUBMODULE_PATH_UNPRINTABLE = "SubmodulePathUnprintable"
    SUBMODULE_REMOTE_MOVED = "SubmoduleRemoteMoved"
    SUBMODULE_COMMIT_MISSING = "SubmoduleCommitMissing"
    SUBMODULE_COMMIT_UNREFERENCED = "SubmoduleCommitUnreferenced"
    SUBMODULE_COMMIT_LOST = "SubmoduleCommitLost"
    SUBMODULE_REMOTE_FOREIGN = "SubmoduleRemoteForeign"
    PIN_NESTED = "PinNested"
    PIN_NAME_TAKEN = "PinNameTaken"
    PIN_REFUSED = "PinRefused"
    PIN_SETTLING = "PinSettling"
    PIN_STILL_MISSING = "PinStillMissing"
    PIN_MOVE_OPEN = "PinMoveOpen"
    PIN_MOVE_DECLINED = "PinMoveDeclined"
    PIN_MOVE_SUPERSEDED = "PinMoveSuperseded"


NOT_KNOWN: Final = frozenset(
    {
        Reason.TRACKED_REVISION_UNREAD,
        Reason.SUBMODULES_UNREAD,
        Reason.SUBMODULES_BEYOND_BOUND,
        Reason.SUBMODULE_URL_NOT_ASKED,
        Reason.SUBMODULE_PATH_UNPRINTABLE,
    }
)
"""What says only that something is not known, whoever must see to it."""

REASONS: Final[Mapping[str, ReasonInfo]] = {
    Reason.TRACKED_REVISION_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "A branch or a tag that Argo CD tracks could not be read: it or the repository is missing, or the "
        "token may not see it. Nothing is known of its submodules.",
        "Check `submodules` in the landscape, and that the token in RECONVERGE_GITHUB_TOKEN may read the "
        "repository's contents. Argo CD cannot render from it either while nobody can read it.",
    ),
    Reason.SUBMODULES_UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "What a verdict on a submodule rests on could not be read: its remote, its remote's word on the "
        "pinned commit, or how an earlier repair fares. The commit may be there or not; nothing is changed.",
        "Look at the message. 401, 403 and 404: the token may not see the repository, or it is gone. A moved "
        "repository: write its new address into .gitmodules. 429 and 5xx pass by themselves. Where it names "
        "a bound of the look (its time, gitlinks, branches), take submodules out that nobody renders from.",
    ),
    Reason.SUBMODULES_BEYOND_BOUND: ReasonInfo(
        Leads.PERSON,
        Severity.WARNING,
        "There are more submodules, or deeper ones, than are looked at in one run. The rest was judged; of "
        "these nothing is known.",
        "Take submodules out that nobody renders from, or turn them off for Argo CD's repo server.",
    ),
    Reason.SUBMODULE_URL_MISSING: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "A commit pins a submodule for whose path .gitmodules has no URL. Git fails for the whole "
        "repository.",
        "Add the entry to .gitmodules, or remove the gitlink: `git rm --cached <path>`.",
    ),
    Reason.SUBMODULE_URL_NOT_ASKED: ReasonInfo(
        Leads.PERSON,
        Severity.WARNING,
        "A submodule's URL does not lead to an https address, so its remote cannot be asked for the commit. "
        "It may be there or not.",
        "Write an https address into .gitmodules, or a relative one such as ../<name>.git.",
    ),
    Reason.SUBMODULE_PATH_UNPRINTABLE: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The path of a submodule holds control characters, or others that are not seen: a line break, a "
        "colour, what turns the direction of writing. It is shown escaped. Its commit is not asked for and "
        "nothing is written for it, so whether the commit is there is not known.",
        "Nobody needs such a path: find who wrote it, and take the submodule out or give it another path.",
    ),
    Reason.SUBMODULE_REMOTE_MOVED: ReasonInfo(
        Leads.NOTE,
        Severity.WARNING,
        "A submodule's repository was renamed. Git follows its server to the new address, until somebody "
        "else makes a repository of the old name.",
        "Write the new address into .gitmodules.",
    ),
    Reason.SUBMODULE_COMMIT_MISSING: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "A commit that is pinned as a submodule is not on the submodule's remote, by the remote's own word. "
        "No Application renders from a repository that pins it: often the pin was made before a squash or a "
        "rebase, or before the submodule was pushed.",
        "Where GitHub still has the object, Reconverge brings it back by a branch, if the contract allows "
        "submodule.keep. Otherwise it proposes to move the pin to a named branch's newest commit, if it "
        "allows submodule.move. Push submodules first, then what pins them.",
    ),
    Reason.SUBMODULE_COMMIT_UNREFERENCED: ReasonInfo(
        Leads.REPAIR,
        Severity.WARNING,
        "A pinned commit is there, and no branch and no tag of its remote leads to it. The remote may drop "
        "it at any time, and then nothing renders any more.",
        "Reconverge publishes a branch that keeps it where a tracked branch itself pins it and the "
        "contract allows submodule.keep. Or push one "
        "yourself, or move the pin to a commit of a branch.",
    ),
    Reason.SUBMODULE_COMMIT_LOST: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "A missing commit can neither be brought back nor replaced: nobody is known to have the object, and "
        "no branch is named that the pin may be moved to, or what is tracked is a tag, which no pull request "
        "changes. Or only a submodule's own submodules pin it: for those nothing is published and nothing is "
        "moved.",
        "Push the commit from a clone that has it. Or move the pin: name a branch under `moves` in the "
        "landscape, or `branch` in .gitmodules; of a nested submodule, in the submodule's own repository.",
    ),
    Reason.SUBMODULE_REMOTE_FOREIGN: ReasonInfo(
        Leads.PERSON,
        Severity.WARNING,
        "A pinned commit that nothing holds is on a server on which Reconverge publishes nothing: it writes "
        "to GitHub only.",
        "Push a branch or a tag that holds the commit, or move the pin to a commit of a branch.",
    ),
    Reason.PIN_NESTED: ReasonInfo(
        Leads.PERSON,
        Severity.WARNING,
        "Only a submodule's own submodules pin a commit that no branch and no tag of its remote leads to. "
        "Reconverge publishes no branch for what a tracked branch does not pin itself: whoever writes a "
        "submodule could name any commit of any repository, such as one that exists only in a fork and "
        "that GitHub gives under the name of the repository it was forked from.",
        "Look at the commit and at who wrote it. Is it wanted, push a branch or tag that holds it, or "
        "have the submodule's own repository pin a commit of a branch.",
    ),
    Reason.PIN_NAME_TAKEN: ReasonInfo(
        Leads.PERSON,
        Severity.WARNING,  # where the commit is missing, that is found beside it
        "The branches that could keep a pinned commit, gitops-pin/ with seven digits of its id and with all "
        "of them, are there and on other commits. No branch is ever moved.",
        "Rename them, or push a branch or tag of another name that holds the commit.",
    ),
    Reason.PIN_REFUSED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "GitHub refused to publish the branch that would keep a pinned commit: it has the object in its "
        "network of forks only, the token may not write there, or a rule protects such names. Nothing was "
        "written.",
        "Look at the status in the message. 401, 403 and 404: give the token Contents: write on the "
        "repository. 422: push the commit from a clone that has it, or move the pin.",
    ),
    Reason.PIN_SETTLING: ReasonInfo(
        Leads.WAIT,
        Severity.NOTE,
        "The branch was published or the pull request merged just now, and the remote was asked too soon.",
        "Nothing: Reconverge looks again.",
    ),
    Reason.PIN_STILL_MISSING: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The pin was mended, and it is broken in the same way all the same: somebody deletes the branch that "
        "keeps the commit, or put the old pin back.",
        "Find who does: a rule that deletes branches, or a tool that writes the pin (its last commits name "
        "it).",
    ),
    Reason.PIN_MOVE_OPEN: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "The pull request that moves the pin is open and waits for people. What somebody else wrote to its "
        "branch is left there.",
        "Review and merge it. Closing it without merging tells Reconverge that the move is not wanted.",
    ),
    Reason.PIN_MOVE_DECLINED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "Somebody closed the pull request that moves the pin without merging it. None is opened again.",
        "Reopen and merge it, or move the pin otherwise.",
    ),
    Reason.PIN_MOVE_SUPERSEDED: ReasonInfo(
        Leads.REPAIR,
        Severity.WARNING,
        "A pull request of Reconverge that moves a pin is still open although it is not needed any more.",
        "Reconverge closes it with a comment where the contract allows submodule.move.",
    ),
}

finding: Final = partial(finding_of, REASONS)
