"""Plans for people, by digest: those that wait for approval, and those that are only proposed, to be read.

Approving is a promise about one situation only.

A plan's digest covers its steps and the facts they rest on, so an approval fits exactly as long as the facts
stay as they were: a run applies what it planned by itself, and looks here only whether somebody agreed.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shared.columns import joined, spread
from shared.errors import Refused
from shared.leases import TRIES, contended
from shared.model import Clock, Plan, Target
from shared.ports import Conflict, Key, Row, Rows, Stored

TABLE: Final = "plans"
INDEX: Final = "digests"
"""The partition that finds a plan's target by its digest alone."""

MOST_STEPS: Final = 200
"""Steps that a row keeps to be read: a row takes 1 MiB, and a rebuilt cluster can leave thousands. What is
agreed to is the digest, which covers them all."""


class State(StrEnum):
    """What was last decided about a plan."""

    WAITING = "waiting"
    """Nobody agreed to it. Whether anybody may is the contract's word of the day, and not kept here."""
    APPROVED = "approved"
    APPLIED = "applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    digest: str
    target: Target
    state: State
    stored_at: datetime
    approved_by: str | None
    steps: tuple[Mapping[str, Any], ...]
    """The first MOST_STEPS of them."""
    count: int
    """Of all steps."""


class Plans:
    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock

    def store(self, plan: Plan) -> None:
        """Keep a plan for people, unless it is there already: the same situation is the same plan."""
        first = plan.steps[:MOST_STEPS]
        values: Row = {
            "target": str(plan.target),
            "state": State.WAITING.value,
            "stored_at": self._clock(),
            "count": len(plan.steps),
            **spread("steps", json.dumps([asdict(step) for step in first], ensure_ascii=False)),
        }
        with suppress(Conflict):
            self._rows.insert(TABLE, Key(INDEX, plan.digest), values)

    def find(self, digest: str) -> StoredPlan:
        """Raises Refused (404) for a digest nobody stored."""
        return _read(digest, self._stored(digest).values)

    def approve(self, digest: str, by: str) -> StoredPlan:
        """Let the plan be carried out once. Raises Refused (404) for a digest nobody stored."""
        return self._move(digest, State.APPROVED, by=by)

    def approver(self, plan: Plan) -> str | None:
        """Who approved exactly this plan, if somebody did and it was not carried out since."""
        stored = self._rows.get(TABLE, Key(INDEX, plan.digest))
        if stored is None or stored.values.get("state") != State.APPROVED.value:
            return None
        return str(stored.values.get("approved_by"))

    def spent(self, plan: Plan) -> None:
        """An approval serves once."""
        self._move(plan.digest, State.APPLIED, by=None)

    def _move(self, digest: str, state: State, *, by: str | None) -> StoredPlan:
        for _ in range(TRIES):
            stored = self._stored(digest)
            values: Row = {
                **stored.values,
                "state": state.value,
                "approved_by": by or stored.values.get("approved_by"),
                f"{state.value}_at": self._clock(),
            }
            try:
                return _read(digest, self._rows.replace(stored, values).values)
            except Conflict:
                continue
        raise contended(TABLE, Key(INDEX, digest))

    def _stored(self, digest: str) -> Stored:
        try:
            stored = self._rows.get(TABLE, Key(INDEX, digest))
        except ValueError:
            stored = None
        if stored is None:
            raise Refused(
                f"no plan {digest[:12]} is known; GET /api/status lists those that wait", status=404
            )
        return stored


def _read(digest: str, values: Row) -> StoredPlan:
    stored_at = values["stored_at"]
    assert isinstance(stored_at, datetime)  # noqa: S101 (only `store` writes this row)
    by = values.get("approved_by")
    steps = tuple(json.loads(joined("steps", values)))
    count = values.get("count")
    return StoredPlan(
        digest=digest,
        target=Target.parse(str(values["target"])),
        state=State(str(values["state"])),
        stored_at=stored_at,
        approved_by=str(by) if by else None,
        steps=steps,
        count=count if isinstance(count, int) else len(steps),
    )
