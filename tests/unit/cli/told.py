"""A small story that an app told, and what was seen from outside meanwhile."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.judging.asking import Outside
from cli.judging.verdict import Verdict, fails, holds
from cli.verdicts import Told

TOLD = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
"""When the app was told of the damage."""
WELL = holds("all is well")
BROKEN = fails("500")


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim that nobody judges."""

    environment: str
    responder: str
    name: str = "something"
    kind: str = "thing"
    cluster: str = "ameide"

    @property
    def journalled(self) -> str:
        return self.responder

    def judge(self, outside: Outside) -> Verdict:
        raise AssertionError(f"its verdict is given beside it, and nobody asks {outside}")


def moment(seconds: float) -> str:
    return (TOLD + timedelta(seconds=seconds)).isoformat()


def outcome(
    target: str, at: float, word: str, *causes: tuple[str, str], reason: str = "", until: float | None = None
) -> dict[str, Any]:
    """causes: targets with the reason code of their fault."""
    return {
        "target": target,
        "at": moment(at),
        "lastAt": moment(at if until is None else until),
        "outcome": word,
        "reason": reason or None,
        "blockedBy": causes[0][0] if causes else None,
        "causes": [{"target": name, "reason": code} for name, code in causes],
    }


def step(target: str, at: float, action: str, thing: str, channel: str = "direct", **ends: str) -> list[Any]:
    """The entries of a step; ends: `kind` of its end, `step-done` unless given, and none for an empty one."""
    run = f"{target}-{at}"
    about = {"where": target, "run": run, "actor": "reconverge"}
    started = {
        **about,
        "at": moment(at),
        "kind": "step-started",
        "detail": {
            "action": action,
            "object": thing,
            "channel": channel,
            "mends": "Fault",
            "before": {"a": "1"},
            "after": {"a": "2"},
        },
    }
    kind = ends.get("kind", "step-done")
    ended = {**about, "at": moment(at + 1), "kind": kind, "detail": {"object": thing, "mends": "Fault"}}
    return [started, ended] if kind else [started]


def told(*outcomes: dict[str, Any], changes: list[Any] | None = None) -> Told:
    """An app whose last words are those that it came to last."""
    last = {one["target"]: one["outcome"] for one in outcomes}
    targets = [{"target": target, "outcome": word} for target, word in last.items()]
    return Told({"targets": targets, "outcomes": list(outcomes), "changes": changes or []}, TOLD)
