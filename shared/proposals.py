"""Changes of YAML files in Git that go by pull request: what to change, how that fares, and writing it.

For responders whose repair is a value in a file that people review. A change has an id, and by it one branch
and one pull request: found again, brought up to date when the file changes below it, closed when nobody needs
it.

    file ── look ── stand ──┬── right, or why nothing is to be done now
                            └── a step ── propose ── people merge ── the file says so
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, assert_never

from shared.changes import Fate, is_open, of_pull_request
from shared.clients.azure_core import AGAIN
from shared.clients.git_files import FileAt
from shared.clients.github import PullRequest
from shared.errors import NotWritten, PermanentError, after_a_write
from shared.landscape import repository_page
from shared.landscape.values import ValuesFile
from shared.model import Absent, Channel, Known, Read, Step, Unknown, digest_of
from shared.world import Scope
from shared.yaml_documents import Document, Field, NotYamlError, Scalar

NUMBER: Final = "pull request"
"""In a step that closes one, the key of its number."""
LONGEST_SHOWN: Final = 200
"""Characters. What is longer is no setting that a person chose, and would be read by nobody."""
HIDDEN: Final = "a text of {length} characters, not shown"
BRANCHES: Final = "reconverge/"
"""What the names of all our branches for pull requests begin with."""
CHANGE_TRAILER: Final = "Reconverge-Change:"
"""In the message of every commit of ours to a proposal's branch; behind it, the change."""

_MARKS: Final = frozenset("`|")
"""What ends a code span or a cell of a table: behind it, a text could say anything in our name."""


class File(Protocol):
    """One file on a branch, as the sections of the landscape declare theirs."""

    @property
    def repository(self) -> str: ...

    @property
    def ref(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def reference(self) -> str: ...


class Stand(StrEnum):
    """What a change is at. A step may be made for DUE and for OUTDATED, and for nothing else."""

    RIGHT = "right"
    """The file says so already."""
    DUE = "due"
    """It may be proposed now."""
    OPEN = "open"
    """Its pull request waits for people."""
    OUTDATED = "outdated"
    """Its pull request is open, and the file has changed below it."""
    DECLINED = "declined"
    """Somebody closed its pull request without merging it."""
    SETTLING = "settling"
    """It was merged just now, and may not be seen yet."""
    UNDONE = "undone"
    """It was merged, and the file reads as before all the same."""
    UNREAD = "unread"
    """The file, or how the change fares, could not be read."""
    NO_FILE = "no file"
    """The branch is there, the file is not."""
    UNEDITABLE = "uneditable"
    """There is no place for the values in the file as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a change fares that is needed."""

    history: Read[tuple[PullRequest, ...]]
    """Every pull request that its branch ever had, newest first."""
    proposed: Read[FileAt] | None
    """The file on that branch; None without a pull request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change of a file of values, and how it fares."""

    file: ValuesFile
    before: Mapping[str, str]
    """Only the keys that differ; empty texts for those that are missing."""
    after: Mapping[str, str]
    """Only the keys that differ. None: the file says so already, or could not be read."""
    change: str
    """The change's id; empty when nothing differs."""
    text: Read[FileAt]
    """The file on its branch, as read."""
    wanted_text: str | None
    """None: nothing differs, unread, or the layout allows no edit."""
    read_at: datetime
    """Just before the file was read."""
    history: Read[tuple[PullRequest, ...]] | None
    """None: not asked, since nothing is to be proposed."""
    proposed: Read[FileAt] | None
    """The file on the proposal's branch; None without a pull request."""


# -- names ----------------------------------------------------------------------------------------------


def change_id(reference: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The same for the same change of the same file, whatever else the file says and whenever it is asked."""
    return digest_of([reference, {key: text for key, text in before.items() if text}, dict(after)])


def branch_prefix(environment: str, responder: str) -> str:
    """Of the branches of ours for what a responder looks after in an environment."""
    return f"{BRANCHES}{environment}/{responder}-"


def branch(prefix: str, change: str) -> str:
    """The one branch of a change."""
    return f"{prefix}{change[:12]}"


def shown(_key: str, found: Field) -> str:
    """What stands in the file, as far as it may be shown; empty where no value stands there."""
    if not isinstance(found, Scalar):
        return ""
    fits = len(found.text) <= LONGEST_SHOWN and found.text.isprintable() and not _MARKS & set(found.text)
    return found.text if fits else HIDDEN.format(length=len(found.text))


# -- looking --------------------------------------------------------------------------------------------


def look(
    scope: Scope,
    file: ValuesFile,
    wanted: Mapping[str, str],
    prefix: str,
    *,
    read: tuple[datetime, Read[FileAt]] | None = None,
) -> Proposal:
    """Read the file, and how the change fares that it needs to say what is wanted, if it needs one.

    wanted: texts by dotted path. What reads as that text is right, whether it is a text or a number.
    read: the file, where what is wanted depends on what it says, and just before when it was read
    """
    read_at, text = read or (scope.clock(), scope.world.files.read(file.repository, file.ref, file.path))
    before, after, wanted_text = _difference(text, wanted)
    change = change_id(file.reference, before, after) if after else ""
    progress = progress_of(scope, file, branch(prefix, change)) if wanted_text is not None else None
    return Proposal(
        file=file,
        before=before,
        after=after,
        change=change,
        text=text,
        wanted_text=wanted_text,
        read_at=read_at,
        history=progress.history if progress else None,
        proposed=progress.proposed if progress else None,
    )


def _difference(
    text: Read[FileAt], wanted: Mapping[str, str]
) -> tuple[Mapping[str, str], Mapping[str, str], str | None]:
    if not isinstance(text, Known):
        return {}, {}, None
    try:
        document = Document(text.value.text)
    except NotYamlError:
        return dict.fromkeys(wanted, ""), dict(wanted), None
    found = {key: document.field(key) for key in wanted}
    after = {key: value for key, value in wanted.items() if not _reads(found[key], value)}
    before = {key: shown(key, found[key]) for key in after}
    try:
        return before, after, document.edited(after, with_parents=True) if after else None
    except ValueError:
        return before, after, None


def _reads(found: Field, value: str) -> bool:
    return isinstance(found, Scalar) and found.text == value


def progress_of(scope: Scope, file: File, own: str) -> Progress:
    """own: the change's branch"""
    history = scope.world.github.history(file.repository, own)
    opened = isinstance(history, Known) and bool(history.value)
    return Progress(
        history=history,
        proposed=scope.world.files.read(file.repository, own, file.path) if opened else None,
    )


def leftovers(scope: Scope, file: File, prefix: str) -> Read[tuple[PullRequest, ...]]:
    """Our open pull requests in the file's repository. All but that of the change in hand are not needed any
    more, once everything that needs one there is known."""
    return scope.world.github.proposals(file.repository, prefix)


# -- judging --------------------------------------------------------------------------------------------


def stand(proposal: Proposal, now: datetime) -> tuple[Stand, str, str]:
    """What the change is at; in words that go behind the file's path; and the pull request's URL, if any."""
    match proposal.text:
        case Unknown(why):
            return Stand.UNREAD, f"it could not be read: {why}", ""
        case Absent():
            return Stand.NO_FILE, f"branch {proposal.file.ref} has no such file", ""
        case Known(file) if proposal.after and proposal.wanted_text is None:
            return Stand.UNEDITABLE, _no_way(file.text, proposal.after), ""
    if proposal.wanted_text is None or proposal.history is None:
        return Stand.RIGHT, "it says what is wanted", ""
    progress = Progress(history=proposal.history, proposed=proposal.proposed)
    return stand_of(progress, proposal.wanted_text, read_at=proposal.read_at, now=now)


def stand_of(
    progress: Progress, wanted_text: str, *, read_at: datetime, now: datetime
) -> tuple[Stand, str, str]:
    """The same of a change that a file needs and that its layout allows.

    read_at: when was read what reads otherwise
    """
    match progress.history:
        case Unknown(why):
            return Stand.UNREAD, f"its pull requests could not be listed: {why}", ""
        case Known((newest, *_)):
            return _of_newest(newest, progress, wanted_text, read_at, now)
    return _DUE


def _of_newest(
    newest: PullRequest, progress: Progress, wanted_text: str, read_at: datetime, now: datetime
) -> tuple[Stand, str, str]:
    name, url = f"pull request {newest.number}", newest.url
    match of_pull_request(newest, read_at=read_at, now=now):
        case Fate.OPEN:
            return _of_open(name, url, progress.proposed, wanted_text)
        case Fate.DECLINED:
            return Stand.DECLINED, f"{name} was closed without being merged", url
        case Fate.SETTLING:
            return Stand.SETTLING, f"{name} was merged just now, and the file reads as before", url
        case Fate.UNDONE:
            return Stand.UNDONE, f"{name} was merged, and the file reads as before", url
        case None:
            return _DUE
        case never:
            assert_never(never)


def _of_open(name: str, url: str, proposed: Read[FileAt] | None, wanted_text: str) -> tuple[Stand, str, str]:
    match proposed:
        case Unknown(why):
            return Stand.UNREAD, f"the proposed file could not be read: {why}", url
        case Known(file) if file.text == wanted_text:
            return Stand.OPEN, f"{name} waits for people", url
        case Known(file) if not is_ours(file.message):
            return Stand.OPEN, f"{name} waits for people, and somebody else wrote to its branch", url
    return Stand.OUTDATED, f"{name} must be brought up to date", url


def is_ours(message: str) -> bool:
    """Whether a branch's newest commit is, by its message. Where it is not, what was added is not ours to
    write over."""
    return CHANGE_TRAILER in message


_DUE: Final = (Stand.DUE, "a pull request is due", "")


def _no_way(text: str, after: Mapping[str, str]) -> str:
    """Says which key, and never what stands there."""
    try:
        document = Document(text)
    except NotYamlError as error:
        return f"it is {error}"
    for key, value in after.items():
        try:
            document.edited({key: value}, with_parents=True)
        except ValueError:
            return f"its layout allows no edit of {key}"
    return "its layout allows no edit"


# -- writing --------------------------------------------------------------------------------------------


def propose(
    scope: Scope,
    step: Step,
    file: File,
    prefix: str,
    *,
    title: str,
    body: str,
    message: str,
    as_shown: Callable[[str, Field], str] = shown,
    with_parents: bool = True,
) -> None:
    """Let the change's pull request be open, with the file as it must read. The caller holds the repository's
    lease, and has asked the contract.

    Begins from whatever state a crash may leave behind: no branch, an old one, one without its request. What
    somebody else wrote to the branch is left there.
    as_shown: what the step's `before` shows of a field
    Raises what `edited` raises, TemporaryError where somebody declined the change since the plan, and what
    the clients raise; PermanentError for a step of another file, and where somebody else wrote to the branch.
    """
    github, repository = scope.world.github, file.repository
    if (step.object, step.owner) != (file.reference, repository_page(repository)):
        raise PermanentError(f"{step.owner} is not where {step.object} is written")
    base, wanted = edited(scope, step, file, as_shown=as_shown, with_parents=with_parents)
    if wanted == base.text:
        return
    change = change_id(step.object, step.before or {}, step.after)
    own = branch(prefix, change)
    taking_over = f"Take over {file.ref} as it is now\n\n{CHANGE_TRAILER} {change[:12]}"
    if is_open(github, repository, own):
        proposed = _read(scope, file, own)
        if proposed.text == wanted or not is_ours(proposed.message):
            return
        # On top of what the file was then, the change could meet one that was made beside it.
        github.renew(repository, own, base.commit, upon=proposed.commit, message=taking_over)
        with after_a_write():
            github.commit(repository, own, file.path, text=wanted, replaces=base.text, message=message)
        return
    tip = _hold_ours(scope, file, own)
    # Where a pull request was refused, each further try would add commits that change nothing.
    if tip is not None and _holds(scope, file, own, wanted):
        github.propose(repository, own, file.ref, title, body)
        return
    if tip is None:
        github.point(repository, own, base.commit)
    else:
        github.renew(repository, own, base.commit, upon=tip, message=taking_over)
    with after_a_write():
        github.commit(repository, own, file.path, text=wanted, replaces=base.text, message=message)
        github.propose(repository, own, file.ref, title, body)


def _holds(scope: Scope, file: File, ref: str, wanted: str) -> bool:
    found = scope.world.files.read(file.repository, ref, file.path)
    return isinstance(found, Known) and found.value.text == wanted


def _hold_ours(scope: Scope, file: File, own: str) -> str | None:
    """The branch's newest commit, where it has any of its own: the branch is about to hold something else.

    Raises PermanentError where somebody else wrote to it, NotWritten where that is not known.
    """
    match scope.world.github.beyond(file.repository, file.ref, own):
        case Known(found) if all(map(is_ours, found.messages)):
            return found.tip
        case Known():
            says = f"somebody else wrote to branch {own}, which has no pull request"
            raise PermanentError(f"{says}: propose it, or delete the branch")
        case Unknown(why):
            raise NotWritten(f"branch {own} could not be read: {why}", delay=AGAIN)
        case Absent():
            return None


def edited(
    scope: Scope,
    step: Step,
    file: File,
    *,
    as_shown: Callable[[str, Field], str] = shown,
    with_parents: bool = True,
) -> tuple[FileAt, str]:
    """The file on its branch, and what it must read.

    Raises NotWritten when it says something else by now than the plan knew: the next look plans anew. And
    PermanentError where its layout allows no edit.
    """
    base = _read(scope, file, file.ref)
    try:
        document = Document(base.text)
        wanted = document.edited(step.after, with_parents=with_parents)
    except NotYamlError as error:
        raise NotWritten(f"{file.path} is {error} by now", delay=AGAIN) from error
    except ValueError as error:
        raise PermanentError(f"{file.path}: {error}") from error
    for key, value in step.after.items():
        now, was = document.field(key), (step.before or {}).get(key, "")
        if as_shown(key, now) != was and not _reads(now, value):
            raise NotWritten(f"{key} of {file.path} has changed since the plan", delay=AGAIN)
    return base, wanted


def _read(scope: Scope, file: File, ref: str) -> FileAt:
    match scope.world.files.read(file.repository, ref, file.path):
        case Known(found):
            return found
        case Unknown(why):
            raise NotWritten(f"{file.path} could not be read: {why}", delay=AGAIN)
        case Absent():
            raise NotWritten(f"{ref} has no {file.path} any more", delay=AGAIN)


def closing(pull: PullRequest, *, action: str, owner: str, mends: str) -> Step:
    """The step that closes a pull request of ours which nobody needs any more.

    owner: page of its repository
    """
    return Step(
        action=action,
        object=pull.url,
        owner=owner,
        before={NUMBER: str(pull.number), "state": "open"},
        after={NUMBER: str(pull.number), "state": "closed"},
        mends=mends,
        channel=Channel.PULL_REQUEST,
    )


def withdraw(scope: Scope, step: Step, *, title: str, comment: str) -> None:
    """Carry out such a step: close the pull request, and say why. The caller has asked the contract.

    title: of the closed pull request, whose first word then says that Reconverge closed it: not of one that
        somebody closed since the plan, whose word would be taken for ours
    Raises NotWritten where it is not open any more, or that is not known.
    """
    number = int(step.after[NUMBER])
    match scope.world.github.proposals(step.owner, BRANCHES):
        case Known(opened) if any(one.number == number for one in opened):
            scope.world.github.withdraw(step.owner, number, title, comment)
        case Unknown(why):
            raise NotWritten(f"the pull requests could not be listed: {why}", delay=AGAIN)
        case _:
            raise NotWritten(f"pull request {number} is not open any more", delay=AGAIN)
