"""What `reconverge run` makes of its looks at one target."""

from typing import Any

from cli.summary import account
from responders.runtime_facts import RESPONDER
from responders.runtime_facts.reasons import Reason, finding
from shared.engine import Report
from shared.model import Finding, Outcome, Target, Word

TARGET = Target("dev", RESPONDER.name)
FILE = "https://github.com/ameideio/facts/blob/main/dev.yaml"


def differs(field: str, says: str) -> Finding:
    return finding(Reason.FACT_DIFFERS, FILE, says, field=field)


def told(*looks: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """What is told of looks that found this, and left what they found."""
    outcome = Outcome(word=Word.PENDING, because="more remains to be done")
    reports = [Report(findings=found, remaining=found, outcome=outcome) for found in looks]
    findings: list[dict[str, Any]] = account(TARGET, reports, RESPONDER.reasons)["findings"]
    return findings


def test_each_field_of_a_file_that_differs_is_told() -> None:
    found = (differs("azure.keyVaultUri", "it is old"), differs("azure.subscriptionId", "it is another"))
    assert [one["message"] for one in told(found)] == ["it is old", "it is another"]


def test_a_fault_that_two_looks_found_is_told_once_in_the_later_words() -> None:
    first, second = differs("azure.keyVaultUri", "it is old"), differs("azure.keyVaultUri", "it is older")
    other = differs("azure.subscriptionId", "it is another")
    assert [(one["message"], one["mended"]) for one in told((first, other), (second,))] == [
        ("it is older", False),
        ("it is another", True),
    ]
