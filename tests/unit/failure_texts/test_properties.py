"""What holds for any text, and what may surround a known one."""

from typing import Final

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.failure_texts import classify
from shared.failure_texts.reading import EACH_END, redact
from tests.unit.failure_texts.decoys import DECOYS
from tests.unit.failure_texts.wordings import AUTH, BY_LABEL, TRANSIENT

TEXTS: Final = [text for texts in BY_LABEL.values() for text in texts.values()]
# Its end is what it is known by.
SURROUNDED: Final = [text for text in TEXTS if text is not AUTH["nothing said"] and len(text) < EACH_END // 2]
SHORT: Final = [text for text in [*TEXTS, *DECOYS.values()] if len(text) < 4000]
WORDS: Final = sorted({word for text in SHORT for word in text.split()})

WRAPPERS: Final = (
    "{}",
    "Failed to load target state: failed to generate manifest for source 2 of 3: {}",
    "rpc error: code = Unknown desc = Manifest generation error (cached): {}",
    "ComparisonError: Failed to load target state: rpc error: code = Internal desc = {};",
    "one or more objects failed to apply, reason: {} (retried 5 times).",
    'time="2026-01-20T08:00:00Z" level=error msg="finished unary call" error="{}" grpc.code=Unknown',
    "Failed last sync attempt to [1f0e3dad99908345f7439f8ffabdffc4a9c2a7f1]: {}",
    "\x1b[31mFATA\x1b[0m[0003] {}\r\n",
)
# What stands around failures in logs, and tells of none.
NOISE: Final = st.lists(
    st.sampled_from(
        [
            'level=info msg="Comparing app state (cluster: https://kubernetes.default.svc)" application=dev',
            "Refreshing app status (spec.source differs), level (3)",
            "Successfully saved info of 3 clusters",
            "",
            "─" * 20,
            "2026-01-20 08:00:00 INFO done in 12 ms",
        ]
    ),
    max_size=4,
).map("\n".join)

# No deadline: the machine may be busy, and pytest's own limit bounds the whole.
ANY: Final = settings(max_examples=200, deadline=None)
SOME: Final = settings(max_examples=60, deadline=None)

MIXED: Final = st.lists(st.sampled_from(WORDS) | st.text(max_size=12), max_size=60).map(" ".join)


@ANY
@given(text=st.text(max_size=400) | MIXED)
@example("\0")
@example("\ud800 git fetch")
@example("İ" * 50 + " fatal: early EOF")
def test_any_text_has_one_answer_and_its_evidence_is_of_the_text(text: str) -> None:
    found = classify(text)
    assert found == classify(text)
    assert found.evidence in redact(text)
    assert bool(found.evidence) == (found.failure is not None)


@SOME
@given(text=st.sampled_from(SURROUNDED), wrapper=st.sampled_from(WRAPPERS))
def test_argo_cds_wrapping_changes_nothing(text: str, wrapper: str) -> None:
    assert classify(wrapper.format(text)).failure == classify(text).failure


@SOME
@given(text=st.sampled_from(SURROUNDED), before=NOISE, after=NOISE)
def test_noise_around_a_failure_changes_nothing(text: str, before: str, after: str) -> None:
    assert classify(f"{before}\n{text}\n{after}").failure == classify(text).failure


@SOME
@given(text=st.sampled_from(SURROUNDED))
def test_escapes_and_line_ends_change_nothing(text: str) -> None:
    expected = classify(text).failure
    assert classify(text.replace("\n", "\\n").replace('"', '\\"')).failure == expected
    assert classify(text.replace("\n", "\r\n    │ ")).failure == expected
    assert classify(" ".join(text.split())).failure == expected


@SOME
@given(text=st.sampled_from(SURROUNDED))
def test_a_failure_said_twice_is_one_failure(text: str) -> None:
    assert classify(f"{text}; {text}").failure == classify(text).failure


@SOME
@given(text=st.sampled_from(SURROUNDED), keeps=st.floats(0, 1))
def test_a_text_that_is_cut_off_never_becomes_another_failure(text: str, keeps: float) -> None:
    """It may become unknown, and it may become one without a label."""
    assume(text != TRANSIENT["a revision that could not be asked for"])  # its root stands last
    kept = text[: int(keeps * len(text))]
    assume(not kept.endswith("failed exit status 1:"))  # as if git had said nothing
    whole, part = classify(text).failure, classify(kept).failure
    assert whole is not None
    assert part is None or part.label in {None, whole.label}


@pytest.mark.parametrize("at_the_end", [False, True], ids=["first", "last"])
def test_a_failure_at_either_end_of_megabytes_is_seen(at_the_end: bool) -> None:
    noise = "Successfully saved info of 3 clusters\n" * 60_000
    text = BY_LABEL["submodule_ref_missing"]["under FETCH_HEAD"]
    found = classify(noise + text if at_the_end else text + noise).failure
    assert found is not None
    assert found.label == "submodule_ref_missing"


def test_words_on_both_sides_of_what_was_left_out_are_not_joined() -> None:
    start = 'Job.batch "j" is invalid: spec.template.spec.containers: Required value '
    assert classify(start + "x" * 3 * EACH_END + ' "s": field is immutable').failure is None


HOSTILE: Final = (
    "' ", "x://a@b ", "eyJaaaaaaaaaaa.", "git -a ", "git fetch 0123456 fatal: not our ref 0123456 ",
    "submodule path a ", "unable to resolve a ", "failed to clone a ", "job x is invalid:", "a x is invalid:",
    "code = unavailable desc =", "kustomize build failed exit status 1: a",
    "helm dependency build failed exit status 1 ", "vault-core-a ", "/admin/realms/ ", "permission denied (a",
    "connection to server at ", "client a", "invalid_grant ", "expecting to share configuration with ",
    "--set a", "--set a failed ", "--a-", "--password ", "login ", "mysql ", "-u a", "failed to authorize: ",
    "job.batch ",
    "code = deadlineexceeded desc = context deadline exceeded ",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_megabytes_of_what_a_rule_begins_with_come_to_an_end(piece: str) -> None:
    """Nothing is measured: an expression that ran away would not be done within pytest's limit."""
    classify(piece * (1_000_000 // len(piece)) + piece + " " * 1_000_000 + "x")
