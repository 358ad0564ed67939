"""Templates and expressions come to what they come to in Go, and what is not known is refused."""

from typing import Any

import pytest

from sandbox import argo_expressions, argo_templates
from sandbox.argo_expressions import ExpressionError
from sandbox.argo_language import LanguageError
from sandbox.argo_templates import TemplateError
from tests.sandbox.argo.samples import APPLICATIONS, CASES

PRINTED = {
    f"{case['language']} {case['text'][:60]} | {name}": (case["language"], case["text"], name, printed)
    for case in CASES
    for name, printed in case["printed"].items()
}


@pytest.mark.parametrize(("language", "text", "name", "printed"), PRINTED.values(), ids=PRINTED)
def test_comes_to_what_go_printed(language: str, text: str, name: str, printed: str | None) -> None:
    variables = {"app": APPLICATIONS[name]}
    assert (rendered if language == "template" else evaluated)(text, variables) == printed


def rendered(text: str, variables: dict[str, Any]) -> str | None:
    """None where it fails."""
    try:
        return argo_templates.parse(text)(variables)
    except TemplateError:
        return None


def evaluated(text: str, variables: dict[str, Any]) -> str | None:
    try:
        value = argo_expressions.parse(text)(variables)
    except ExpressionError:
        return None
    return str(value).lower() if isinstance(value, bool) else argo_expressions.printed(value)


STRANGE_TEMPLATES = (
    "{{ if .app }}x{{ end }}",
    "{{ range .app.status.conditions }}{{ end }}",
    "{{- .app -}}",
    "{{ $x := .app }}",
    "{{ . }}",
    "{{ .app.metadata.name",
    "{{ }}",
    "{{ .app.metadata | }}",
    "{{ (.app) }",
    "{{ (.app }}",
    "{{ .app) }}",
    "{{ (dict).x }}",
    "{{ dict.x }}",
    "{{ .app.metadata .app }}",
    '{{ "a" | "b" }}',
    "{{ printf .app.metadata.name }}",
    "{{ repo.GetCommitMetadata .app.status.sync.revision }}",
    "{{ call .repo.GetCommitMetadata }}",
    "{{ index .app 0 }}",
    "{{ true }}",
    "{{ 1 }}",
    "{{ `x` }}",
    '{{ "\\"" }}',
    "{{/* a comment */}}",
)


@pytest.mark.parametrize("text", STRANGE_TEMPLATES)
def test_a_template_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(LanguageError):
        argo_templates.parse(text)


MISUSES = (
    '{{ dict "a" | toJson }}',
    "{{ dict .app 1 }}",
    "{{ .app }}",
    "{{ toJson }}",
    "{{ toJson .app .app }}",
    "{{ sha256sum .app }}",
    "{{ sha256sum .app.metadata.none }}",
)


@pytest.mark.parametrize("text", MISUSES)
def test_a_function_that_is_misused_and_a_value_that_only_go_prints_are_refused(text: str) -> None:
    with pytest.raises(LanguageError):
        argo_templates.parse(text)({"app": APPLICATIONS["failed"]})


STRANGE_EXPRESSIONS = (
    "",
    "app.status?.health",
    "app.a or app.b",
    "not app.a",
    "!app.a",
    "app.a && app.b",
    "app.a ? 1 : 2",
    "app.a ?? 2",
    "app.a + app.b",
    "app.a > 3",
    "app['a']",
    "app.conditions[0]",
    "true",
    "'a'",
    '"a\\""',
    "[]",
    '["a"',
    "time.Now()",
    "time.Parse(app.a).Minutes()",
    "len(app.a)",
    "any(app.a)",
    "any(app.a, app.b)",
    "any(app.a, {#.type == nil})",
    "map(app.a, {.b)",
    "app.a == app.b == app.c",
    "app.a app.b",
    'app.a matches "x"',
    'app.a startsWith "x"',
    "(app.a)",
)


@pytest.mark.parametrize("text", STRANGE_EXPRESSIONS)
def test_an_expression_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(LanguageError):
        argo_expressions.parse(text)


def test_what_only_go_prints_is_refused() -> None:
    with pytest.raises(LanguageError):
        argo_expressions.printed({"a": 1})
