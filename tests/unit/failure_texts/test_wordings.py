"""What real and likely texts are understood as, and what stays unknown."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from shared.failure_texts import classify, classify_first
from tests.unit.failure_texts.decoys import DECOYS
from tests.unit.failure_texts.wordings import BY_LABEL, PARENT, SHA256, SUBMODULE, TRANSIENT, X, Y

# Third-party texts from public threads, each with its source: data only.
SAMPLES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "samples" / "argo" / "messages.json").read_text(encoding="utf-8")
)["samples"]
OWN: Final = [(label, name) for label, texts in BY_LABEL.items() for name in texts]


def label_of(text: str) -> str | None:
    failure = classify(text).failure
    return failure.label if failure else None


@pytest.mark.parametrize("sample", SAMPLES, ids=[one["id"] for one in SAMPLES])
def test_a_real_message_has_its_label(sample: dict[str, Any]) -> None:
    assert label_of(sample["message"]) == sample["expected_label"]


def test_every_label_of_the_samples_has_other_wordings_too() -> None:
    assert {one["expected_label"] for one in SAMPLES} == set(BY_LABEL)


@pytest.mark.parametrize(("label", "name"), OWN, ids=[f"{label}: {name}" for label, name in OWN])
def test_another_wording_has_the_same_label(label: str, name: str) -> None:
    assert label_of(BY_LABEL[label][name]) == label


@pytest.mark.parametrize("text", DECOYS.values(), ids=DECOYS)
def test_what_only_seems_so_has_no_label(text: str) -> None:
    assert label_of(text) is None


@pytest.mark.parametrize(
    ("text", "commit"),
    [
        (PARENT["the wrapped form"], X),
        (PARENT["SHA-256"], SHA256),
        (SUBMODULE["under FETCH_HEAD"], Y),
        (SUBMODULE["under the parent's revision"], Y),
        (SUBMODULE["nested"], Y),
        (SUBMODULE["an old git"], Y),
        (TRANSIENT["time-out"], None),
        (TRANSIENT["a commit that only seems to be missing"], None),
    ],
)
def test_the_commit_that_is_missing_is_named(text: str, commit: str | None) -> None:
    assert classify(text).commit == commit


def test_the_evidence_is_what_decided_with_the_command_before_it() -> None:
    assert classify(TRANSIENT["time-out"]).evidence == "git fetch origin --tags --force` failed timeout after"
    assert classify(TRANSIENT["reset"]).evidence.endswith("kex_exchange_identification")


def test_nothing_is_said_of_an_unknown_text() -> None:
    found = classify(DECOYS["parent and submodule"])
    assert (found.failure, found.evidence, found.commit) == (None, "", None)


def test_only_a_whole_text_is_taken_as_silence() -> None:
    """A silent `git submodule update` is labelled by presumption: no text that was cut off may lead to it."""
    silent = "`git submodule update --init --recursive` failed exit status 1: "
    assert label_of(silent) == label_of(f"{silent} (retried 5 times).") == "submodule_auth"
    assert label_of(f"{silent}Cloning into") is None
    assert label_of(silent.replace("status 1", "status 128")) is None


def test_of_several_texts_the_first_that_is_known_counts() -> None:
    vague, root = "ComparisonError", SUBMODULE["nested"]
    symptom = "Job has reached the specified backoff limit"
    found = classify_first([vague, root, symptom]).failure
    assert found is not None
    assert found.code == "SubmoduleCommitMissing"
    assert classify_first([vague, DECOYS["etcd"]]).failure is None
    assert classify_first([]).failure is None
