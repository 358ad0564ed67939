"""Carries out one step by its channel. Safe to repeat, and safe to die at any line.

The file is read again first: a change goes only on top of the values that it was planned for.
"""

from collections.abc import Callable, Mapping
from typing import Final

from responders.runtime_facts.cases import Case
from responders.runtime_facts.facts import branch, change_id, written_to
from responders.runtime_facts.plan import NUMBER, UPDATE
from responders.runtime_facts.reasons import Reason
from responders.runtime_facts.writing import body, closing, message, title
from shared.changes import is_open
from shared.clients.azure_core import AGAIN
from shared.clients.git_files import FileAt
from shared.contract import refusal
from shared.errors import HumanNeeded, PermanentError, TemporaryError
from shared.landscape import DeclaredFacts
from shared.model import Absent, Channel, Known, Step, Unknown
from shared.world import Scope
from shared.yaml_documents import Document, NotYamlError, Scalar


def apply(scope: Scope, step: Step) -> None:
    """The caller holds the repository's lease: GitHub asks for writes one after the other.

    Raises what the clients raise, and PermanentError for a step that no plan of this responder may hold: the
    last guard before a write, whatever went wrong above.
    """
    contract = scope.environment.contract
    if step.action != UPDATE:
        raise PermanentError(f"{step.action} is not an action of runtime_facts")
    if why := refusal(step, contract):
        raise PermanentError(f"{step.owner} may not be written: {why}")
    if NUMBER in step.after:
        scope.world.github.withdraw(step.owner, int(step.after[NUMBER]), *closing(scope.environment.name))
        return
    declared = _declared(scope, step)
    if step.channel is not contract.channel_to(declared):
        raise PermanentError(f"the contract names another channel than {step.channel} for {step.object}")
    if step.owner != written_to(declared, step.channel):
        raise PermanentError(f"{step.owner} is not where {step.object} is written")
    _CHANNELS[step.channel](scope, step, declared)


def _declared(scope: Scope, step: Step) -> DeclaredFacts:
    for one in scope.environment.facts:
        if one.reference == step.object and step.after.keys() <= one.fields.keys():
            return one
    raise PermanentError(f"{step.object} is not declared with the fields {', '.join(step.after)}")


# -- channels -----------------------------------------------------------------------------------


def _dispatch(scope: Scope, step: Step, declared: DeclaredFacts) -> None:
    workflow = declared.workflow
    if workflow is None:
        raise PermanentError(f"{step.object} has no workflow: declare one, or choose another channel")
    try:
        scope.world.github.dispatch(workflow.repository, workflow.file, workflow.ref, workflow.inputs)
    except PermanentError as refused:
        raise HumanNeeded(f"{workflow.file}: {refused}", reason=Reason.WORKFLOW_REFUSED) from refused


def _commit(scope: Scope, step: Step, declared: DeclaredFacts) -> None:
    base, wanted = _edited(scope, step, declared)
    if wanted != base.text:
        scope.world.github.commit(
            declared.repository,
            declared.ref,
            declared.path,
            text=wanted,
            replaces=base.text,
            message=message(scope, step),
        )


def _propose(scope: Scope, step: Step, declared: DeclaredFacts) -> None:
    """Begins from whatever state a crash may leave behind: no branch, an old one, one without its request."""
    github, repository = scope.world.github, declared.repository
    base, wanted = _edited(scope, step, declared)
    if wanted == base.text:
        return
    own = branch(scope.environment.name, _change(step))
    opened = is_open(github, repository, own)
    if not opened:
        github.point(repository, own, base.commit)
    proposed = base if not opened else _read(scope, declared, own)
    if proposed.text != wanted:
        github.commit(
            repository,
            own,
            declared.path,
            text=wanted,
            replaces=proposed.text,
            message=message(scope, step),
        )
    if not opened:
        github.propose(repository, own, declared.ref, title(scope, declared), body(scope, step))


_CHANNELS: Final[Mapping[Channel, Callable[[Scope, Step, DeclaredFacts], None]]] = {
    Channel.WORKFLOW: _dispatch,
    Channel.PULL_REQUEST: _propose,
    Channel.DIRECT: _commit,
}


# -- reading again ------------------------------------------------------------------------------


def _read(scope: Scope, declared: DeclaredFacts, ref: str) -> FileAt:
    match scope.world.files.read(declared.repository, ref, declared.path):
        case Known(file):
            return file
        case Unknown(why):
            raise TemporaryError(f"{declared.path} could not be read: {why}", delay=AGAIN)
        case Absent():
            raise TemporaryError(f"{ref} has no {declared.path} any more", delay=AGAIN)


def _edited(scope: Scope, step: Step, declared: DeclaredFacts) -> tuple[FileAt, str]:
    """The published file, and what it must read.

    Raises TemporaryError when it says something else by now than the plan knew: the next look plans anew.
    """
    base = _read(scope, declared, declared.ref)
    try:
        document = Document(base.text)
        wanted = document.edited(step.after)
    except NotYamlError as error:
        raise TemporaryError(f"{declared.path} is {error} by now", delay=AGAIN) from error
    except ValueError as error:
        raise PermanentError(f"{declared.path}: {error}") from error
    for field, value in step.after.items():
        now = Case(step.object, field, declared.fields[field], document.field(field), Known(value))
        was = (step.before or {}).get(field, "")
        if now.shown != was and now.found != Scalar(value, is_text=True):
            raise TemporaryError(f"{field} of {declared.path} has changed since the plan", delay=AGAIN)
    return base, wanted


def _change(step: Step) -> str:
    return change_id(step.object, step.before or {}, step.after)
