"""What each row of the table must have, whatever it tells of."""

import re
from typing import Final

import pytest

from responders import REGISTRY, load
from responders.vault_seeding.log_reasons import MEANS
from shared.failure_texts import TABLE, FailureText
from shared.failure_texts.classifier import FOLLOWS
from shared.failure_texts.model import Area
from tests.unit.failure_texts.test_platform import TEXTS
from tests.unit.failure_texts.wordings import BY_LABEL

ROWS: Final = pytest.mark.parametrize("row", TABLE, ids=[row.code for row in TABLE])
OWNERS: Final = {code: name for name in REGISTRY for code in load(name).reasons}


def test_no_code_stands_twice() -> None:
    codes = [row.code for row in TABLE]
    assert len(set(codes)) == len(codes)


@ROWS
def test_a_row_says_what_it_is_in_whole_sentences(row: FailureText) -> None:
    assert re.fullmatch(r"(?:[A-Z][a-z]+)+|GitLab\w+|KubernetesForbidden", row.code)
    assert row.words
    for text in (row.cause, row.remedy):
        assert text[0].isupper() or text.startswith("`")
        assert text.endswith(".")
        assert "  " not in text


@ROWS
def test_a_code_that_is_a_reason_belongs_to_the_responder_of_that_reason(row: FailureText) -> None:
    # What nobody looks after is told by whoever finds the text.
    assert row.code not in OWNERS or OWNERS[row.code] == (row.responder or "applications")


@ROWS
def test_a_label_is_of_the_vocabulary(row: FailureText) -> None:
    assert row.label is None or row.label in BY_LABEL


def test_every_code_without_a_label_is_tried_with_a_text() -> None:
    assert {row.code for row in TABLE if row.label is None} == {code for _, code in TEXTS.values()}


def test_what_the_bootstraps_log_is_read_with_are_rows_of_this_table() -> None:
    assert set(MEANS) <= {row.code for row in TABLE}
    assert {row.code for row in TABLE if row.in_log} <= set(MEANS)


def test_no_area_follows_itself_or_one_that_follows_it() -> None:
    assert set(FOLLOWS) == set(Area)
    for area, roots in FOLLOWS.items():
        assert area not in roots
        assert not any(area in FOLLOWS[root] for root in roots)
