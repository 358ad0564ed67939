"""Carries out one step by its channel. Safe to repeat, and safe to die at any line.

The file is read again first: a change goes only on top of the values that it was planned for.
"""

from collections.abc import Callable, Mapping
from typing import Final

from responders.runtime_facts.cases import Case
from responders.runtime_facts.facts import branch_prefix, share_a_run, written_to
from responders.runtime_facts.plan import UPDATE
from responders.runtime_facts.reasons import Reason
from responders.runtime_facts.writing import body, closing, message, title
from shared import proposals
from shared.contract import refusal
from shared.errors import HumanNeeded, PermanentError
from shared.journal import Kind
from shared.landscape import DeclaredFacts
from shared.model import Channel, Known, Step
from shared.steps import LONGEST_WRITING
from shared.world import Scope
from shared.yaml_documents import Field


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
    if proposals.NUMBER in step.after:
        name, comment = closing(scope.environment.name)
        proposals.withdraw(scope, step, title=name, comment=comment)
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
    if _started_beside(scope, step, declared):
        return
    try:
        scope.world.github.dispatch(workflow.repository, workflow.file, workflow.ref, workflow.inputs)
    except PermanentError as refused:
        raise HumanNeeded(f"{workflow.file}: {refused}", reason=Reason.WORKFLOW_REFUSED) from refused


def _started_beside(scope: Scope, step: Step, declared: DeclaredFacts) -> bool:
    """This run has started the workflow for another file, and what that publishes is this one as well: a
    second start would let two of them write the same Terraform state side by side."""
    files = {one.reference for one in scope.environment.facts if share_a_run(one, declared)}
    beside = files - {step.object}
    # A step may begin as late as LONGEST_WRITING after the first.
    entries = tuple(scope.journal.read(scope.target, since=scope.clock() - 2 * LONGEST_WRITING))
    begun = (one for one in reversed(entries) if one.kind is Kind.STEP_STARTED)
    run = next((one.run for one in begun if one.detail["object"] == step.object), None)
    return any(
        (one.kind, one.run) == (Kind.STEP_DONE, run) and one.detail["object"] in beside for one in entries
    )


def _commit(scope: Scope, step: Step, declared: DeclaredFacts) -> None:
    shown = _as_shown(step, declared)
    base, wanted = proposals.edited(scope, step, declared, as_shown=shown, with_parents=False)
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
    proposals.propose(
        scope,
        step,
        declared,
        branch_prefix(scope.environment.name),
        title=title(scope, declared),
        body=body(scope, step),
        message=message(scope, step),
        as_shown=_as_shown(step, declared),
        with_parents=False,
    )


def _as_shown(step: Step, declared: DeclaredFacts) -> Callable[[str, Field], str]:
    """As the plan shows a field."""

    def shown(field: str, found: Field) -> str:
        return Case(step.object, field, declared.fields[field], found, Known(step.after[field])).shown

    return shown


_CHANNELS: Final[Mapping[Channel, Callable[[Scope, Step, DeclaredFacts], None]]] = {
    Channel.WORKFLOW: _dispatch,
    Channel.PULL_REQUEST: _propose,
    Channel.DIRECT: _commit,
}
