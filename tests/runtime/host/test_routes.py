"""Route templates of HTTP triggers."""

import pytest

from sandbox.host.errors import HostError
from sandbox.host.routes import Route, sort

MATCHES = {
    "a literal in any letter case": ("api/run", "/API/Run", {}),
    "a last slash is no difference": ("api/run", "/api/run/", {}),
    "a parameter": ("plans/{digest}/approve", "/plans/ab12/approve", {"digest": "ab12"}),
    "a parameter is decoded": ("items/{name}", "/items/a%20b", {"name": "a b"}),
    "a parameter is one segment": ("items/{name}", "/items/a/b", None),
    "a parameter must not be empty": ("items/{name}", "/items/", None),
    "an optional parameter given": ("items/{name?}", "/items/a", {"name": "a"}),
    "an optional parameter left out": ("items/{name?}", "/items", {}),
    "a number": ("items/{id:int}", "/items/12", {"id": "12"}),
    "not a number": ("items/{id:int}", "/items/twelve", None),
    "an optional number": ("items/{id:int?}", "/items", {}),
    "the rest of the path": ("files/{*path}", "/files/a/b.txt", {"path": "a/b.txt"}),
    "an empty rest": ("files/{*path}", "/files", {}),
    "another path": ("api/run", "/api/runs", None),
    "dots are dots": ("api/v1.0", "/api/v1x0", None),
}


@pytest.mark.parametrize(("template", "path", "expected"), MATCHES.values(), ids=MATCHES)
def test_matches(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert Route.parse(template).match(path) == expected


def test_the_more_literal_template_is_tried_first() -> None:
    templates = ("a/{*rest}", "a/{b}", "a/{b:int}", "a/fixed")
    assert [name for _, name in sort((Route.parse(text), text) for text in templates)] == [
        "a/fixed",
        "a/{b:int}",
        "a/{b}",
        "a/{*rest}",
    ]


REFUSED = {
    "a parameter beside text": ("a/x{b}", "must fill its whole segment"),
    "an unknown constraint": ("a/{b:range(1,2)}", "whole segment"),
    "an unknown constraint by name": ("a/{b:decimal}", "knows the constraints int"),
}


@pytest.mark.parametrize(("template", "complaint"), REFUSED.values(), ids=REFUSED)
def test_refuses_what_it_does_not_know(template: str, complaint: str) -> None:
    with pytest.raises(HostError, match=complaint):
        Route.parse(template)
