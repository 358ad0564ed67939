"""Markup that takes any text in."""

from xml.etree import ElementTree as ET

import pytest

from cli.markup import join, tag

HOSTILE = {
    "an element": "<script>alert(1)</script>",
    "the end of an attribute": '" onload="alert(1)',
    "the end of another": "' onload='alert(1)",
    "an entity": "&lt;b&gt; & &copy;",
    "the end of a comment": "--> ]]>",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_stays_what_it_is(text: str) -> None:
    read = ET.fromstring(tag("p", text, join(text), title=text))  # noqa: S314 (our own)
    assert (read.text, read.attrib, list(read)) == (text * 2, {"title": text}, [])


def test_what_no_document_may_hold_is_replaced() -> None:
    assert tag("p", "a\x00b\x1b[0m", title="\n") == '<p title="\ufffd">a\ufffdb\ufffd[0m</p>'


def test_elements_stand_in_each_other_and_attributes_have_hyphens() -> None:
    inner = tag("b", "bold", class_="one", aria_label="two")
    assert tag("p", "not ", inner) == '<p>not <b class="one" aria-label="two">bold</b></p>'
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8"/>'
