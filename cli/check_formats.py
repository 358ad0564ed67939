"""Findings of a guard as GitHub Actions and code scanning read them. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from shared.model import Finding
from shared.world import ReasonInfo

type Told = Mapping[str, Any]

LEVELS: Final[Mapping[str, str]] = {"note": "notice", "warning": "warning", "error": "error"}
"""By our severity, the word of a workflow command; SARIF has our words."""
NO_PLACE: Final = ".gitmodules"
"""Code scanning takes no result without a file."""


def told(finding: Finding, info: ReasonInfo) -> Told:
    return {
        "reason": str(finding.reason),
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": finding.message,
        "evidence": dict(finding.evidence),
        "remedy": info.remedy,
    }


def workflow_commands(findings: Iterable[Told]) -> Iterator[str]:
    """One line each: https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""
    for one in findings:
        properties = {"title": one["reason"]}
        if path := one["evidence"].get("path"):
            properties = {"file": path, **properties}
        listed = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
        message = _escaped(f"{one['subject']}: {one['message']}. {one['remedy']}")
        yield f"::{LEVELS[one['severity']]} {listed}::{message}"


def sarif(findings: Sequence[Told]) -> dict[str, Any]:
    """https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""
    rules = {one["reason"]: {"id": one["reason"], "help": {"text": one["remedy"]}} for one in findings}
    driver = {"name": "reconverge", "rules": list(rules.values())}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(one) for one in findings]}],
    }


def _result(one: Told) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(one["evidence"].get("path", NO_PLACE))},
        "region": {"startLine": 1},
    }
    return {
        "ruleId": one["reason"],
        "level": one["severity"],
        "message": {"text": f"{one['subject']}: {one['message']}"},
        "locations": [{"physicalLocation": place}],
    }


def _escaped(text: str) -> str:
    """A line break would begin another command, and what stands there comes from a repository."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
