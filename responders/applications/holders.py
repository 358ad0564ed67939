"""Who is to mend what an Application fails of. Pure."""

from typing import Final

from responders.applications import failures
from responders.applications.facts import Facts, Seen
from shared.model import Finding, Known

SILENT: Final = frozenset({"JobGaveUp", "JobTookTooLong", "SyncFailedBefore"})
"""Codes of texts that tell that something failed, and not of what."""


def holders(facts: Facts, seen: Seen) -> frozenset[str]:
    """The responders that look after its fault: the one that its text names, or those that its rule names
    where the text tells of none."""
    failure = seen.explanation.failure
    if failure is not None and failure.responder is not None:
        return frozenset({failure.responder}) & facts.watched
    if _silent(seen):
        return frozenset(seen.rule.responders) & facts.watched
    return frozenset()


def _silent(seen: Seen) -> bool:
    failure = seen.explanation.failure
    if failure is not None:
        return failure.code in SILENT
    # Whatever health and waiting say, they tell of effects. An error that is not understood is no silence.
    application = seen.application
    said = failures.errors(application) or failures.sync_failed(application)
    return failures.stopped(application) or not said


def rests_on(facts: Facts, symptom: Finding) -> frozenset[str]:
    """Whole targets of other responders, in lower case: what an Application tells of may be any part."""
    found = (seen for seen in _seen(facts) if facts.id_of(seen.application) == symptom.subject)
    return frozenset(f"{facts.environment}/{name}".lower() for seen in found for name in holders(facts, seen))


def _seen(facts: Facts) -> tuple[Seen, ...]:
    return facts.applications.value if isinstance(facts.applications, Known) else ()
