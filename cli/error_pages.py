"""The pages of docs/errors/, from the table of failure texts: one for each code, an index by foreign words.

Written by `cli.reference`. A code that is retired leaves its page behind.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from responders import REGISTRY, load
from shared.failure_texts import TABLE, FailureText

INDEX: Final = "README.md"

_WRITTEN: Final = "<!-- Written by `.venv/bin/python -m cli.reference` from shared/failure_texts. -->"

_INTRODUCTION: Final = f"""\
# From a failure text to a reason

{_WRITTEN}

Search this page for a piece of the text that you see; `…` stands for what differs. `reconverge explain` does
the same for a whole text:

    kubectl get application dev-gateway -n argocd -o jsonpath='{{.status.conditions[*].message}}' |
      bin/reconverge explain

A text that tells of several faults is explained by the one that the others follow from. Where none does, and
where the words are not specific enough, the answer is `unknown`. Codes that Entra, Key Vault and others have
for a fault stand in [reasons.md](../reasons.md#from-an-error-to-a-reason).

| text | code | looked after by |
|---|---|---|
"""

_PEOPLE: Final = "people"


def error_pages() -> Mapping[str, str]:
    """Markdown by file name."""
    reasons = {code for name in REGISTRY for code in load(name).reasons}
    pages = {f"{row.code}.md": _page(row, in_reasons=row.code in reasons) for row in TABLE}
    return {INDEX: _INTRODUCTION + "\n".join(_rows()) + "\n", **pages}


def _rows() -> Iterator[str]:
    told = sorted(((words, row) for row in TABLE for words in row.words), key=lambda one: one[0].lower())
    for words, row in told:
        yield f"| {_cell(words)} | [{row.code}]({row.code}.md) | {_responder(row)} |"


def _page(row: FailureText, *, in_reasons: bool) -> str:
    lines = [
        f"# {row.code}",
        "",
        _WRITTEN,
        "",
        row.cause,
        "",
        "The text:",
        "",
        *(f"    {words}" for words in row.words),
        "",
        f"- **Where**: {row.where}",
        f"- **Remedy**: {row.remedy}",
        f"- **Looked after by**: {_responder(row)}",
        f"- **Passes by itself**: {'possibly' if row.passes else 'no'}",
    ]
    if row.label:
        lines.append(f"- **Label**: `{row.label}`")
    if in_reasons:
        lines.append(f"- **As a finding**: [{row.code}](../reasons.md#{row.code.lower()})")
    return "\n".join([*lines, "", f"All texts: [README.md]({INDEX})", ""])


def _responder(row: FailureText) -> str:
    return f"`{row.responder}`" if row.responder else _PEOPLE


def _cell(words: str) -> str:
    """A code span that keeps the backticks of a quoted command, within a table."""
    fence, blank = ("``", " ") if "`" in words else ("`", "")
    return f"{fence}{blank}{words}{blank}{fence}".replace("|", "\\|")
