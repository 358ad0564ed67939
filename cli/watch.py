"""What a running app says about itself, as news: from one answer of `GET /api/status` to the next. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from cli.output import short_id, shortened
from shared.model import Word

type Status = Mapping[str, Any]

WELL: Final = frozenset({Word.CONVERGED.value, Word.REPAIRED.value})
NEVER_RUN: Final = "never run"
LONGEST: Final = 100
"""Characters of a reason: it may quote two issuers, and the status has all of it."""
MANY: Final = 3
"""More values than these are counted, not named."""


class Watch:
    """Remembers what was told already."""

    def __init__(self, since: datetime) -> None:
        """since: what a target came to by then is no news."""
        self._since = since
        self._states: dict[str, tuple[str, str]] = {}
        self._told: set[tuple[str, str, str]] = set()

    def news(self, status: Status) -> Iterator[str]:
        """A line for each change that is new, and for each target that came to something else than before.

        That a target runs, or is looked at again, is no news: what comes of it is.
        """
        for entry in status["changes"]:
            key = entry["at"], entry["kind"], str(entry["detail"].get("object"))
            if key not in self._told:
                self._told.add(key)
                yield f"{entry['at'][11:19]}  {entry['where']}  {_change(entry)}"
        for target in status["targets"]:
            state = target["outcome"], target["because"]
            if target["running"] or target["outcome"] == NEVER_RUN or not _settled_after(target, self._since):
                continue
            if self._states.get(target["target"]) != state:
                self._states[target["target"]] = state
                yield f"{status['at'][11:19]}  {target['target']}  {state_of(target)}"


def state_of(target: Mapping[str, Any]) -> str:
    because = f": {shortened(target['because'], LONGEST)}" if target["because"] else ""
    again = "; will look again" if target["lookAgainAt"] else ""
    return f"{target['outcome']}{because}{again}"


def counted(status: Status) -> str:
    """How many targets are where."""
    states = Counter("runs" if one["running"] else one["outcome"] for one in status["targets"])
    return ", ".join(f"{count} {state}" for state, count in states.items())


def stirring(status: Status) -> tuple[str, ...]:
    """The targets that run, or will be looked at again without a signal."""
    return tuple(
        one["target"] for one in status["targets"] if one["running"] or one["lookAgainAt"] is not None
    )


def settled_well(status: Status, since: datetime) -> bool:
    """Every target ended well after `since`, and none is going on."""
    return all(
        target["outcome"] in WELL and not target["running"] and _settled_after(target, since)
        for target in status["targets"]
    )


def _settled_after(target: Mapping[str, Any], since: datetime) -> bool:
    """Of one that ran."""
    return datetime.fromisoformat(target["settledAt"]) > since


def changed_by(status: Status, name: str) -> str:
    """Who wrote last; empty when nobody did.

    name: an object; a target, or a responder of any environment, for anything that it looks after.
    """
    written = [
        entry
        for entry in status["changes"]
        if entry["kind"] == "step-done"
        and name.lower()
        in (entry["detail"]["object"].lower(), entry["where"], entry["where"].partition("/")[2])
    ]
    return f"{written[-1]['actor']}, run {written[-1]['run'][:8]}" if written else ""


def _change(entry: Mapping[str, Any]) -> str:
    return CHANGES[entry["kind"]](entry["detail"])


def _changed(step: Mapping[str, Any]) -> str:
    """Which values, not what they are: an issuer is longer than a line, and the journal has it."""
    before = step["before"]
    if before is None:
        return "new"
    changed = [name for name, value in step["after"].items() if before.get(name) != value]
    return ", ".join(changed) if len(changed) <= MANY else f"{len(changed)} values"


CHANGES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "step-started": lambda step: f"{step['action']} {short_id(step['object'])}: {_changed(step)}",
    "step-done": lambda step: f"written {short_id(step['object'])}",
    "step-failed": lambda step: f"not written {short_id(step['object'])}: {step['error']}",
    "proof": lambda proof: f"proof {proof['verdict']} {short_id(proof['object'])}: {proof['detail']}",
    "approved": lambda approval: f"plan {approval['digest'][:12]} is approved",
}
