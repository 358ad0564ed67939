"""What the pages promise is there: links, sections, commands, routes, targets, log events."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.error_pages import error_pages
from cli.exits import Exit
from cli.main import COMMANDS
from cli.permissions_tables import PLACE, permissions_page
from cli.reference import reasons_page
from cli.summary import EXITS
from responders import REGISTRY, load
from shared.contract import refusal
from shared.failure_texts import TABLE
from shared.landscape import Action, Contract
from shared.model import Step, Word
from shared.world import Leads

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
ALL_PAGES = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(page: str) -> set[str]:
    """As GitHub makes them of headings: lower case, hyphens for blanks, punctuation gone."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def without_code(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def links() -> Iterator[tuple[str, str, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
            if not target.startswith(("https://", "http://", "mailto:")):
                path, _, anchor = target.partition("#")
                yield str(page.relative_to(ROOT)), path, anchor


@pytest.mark.parametrize(("page", "path", "anchor"), sorted(set(links())))
def test_every_link_leads_somewhere(page: str, path: str, anchor: str) -> None:
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    if anchor:
        assert anchor in anchors(target.read_text(encoding="utf-8"))


def test_the_page_of_reasons_is_what_the_reasons_say() -> None:
    assert text_of("docs/reasons.md") == reasons_page(), "write it again: .venv/bin/python -m cli.reference"


@pytest.mark.parametrize(("name", "page"), error_pages().items(), ids=error_pages())
def test_the_pages_of_errors_are_what_the_table_says(name: str, page: str) -> None:
    assert text_of(f"docs/errors/{name}") == page, "write it again: .venv/bin/python -m cli.reference"


def test_the_tables_of_permissions_are_what_the_rules_say() -> None:
    page = text_of("docs/permissions.md")
    assert {found[2] for found in PLACE.finditer(page)} == {
        "azure",
        "actions",
        "github",
        "kubernetes",
        "vault",
        "keycloak",
    }
    assert page == permissions_page(page), "write it again: .venv/bin/python -m cli.reference"


def test_every_reason_has_a_section() -> None:
    codes = {code.lower() for name in REGISTRY for code in load(name).reasons}
    assert codes <= anchors(text_of("docs/reasons.md"))


def test_a_reason_says_whether_it_may_be_blocked() -> None:
    sections = re.split(r"^### ", text_of("docs/reasons.md"), flags=re.MULTILINE)
    blocked = {section.split()[0] for section in sections if "the outcome is `blocked`" in section}
    symptoms = {code for name in REGISTRY for code, info in load(name).reasons.items() if info.symptom}
    assert blocked == symptoms


def test_the_page_on_operation_says_what_each_code_asks_of_people() -> None:
    told = text_of("docs/operate.md")
    codes = {
        code
        for name in REGISTRY
        for code, info in load(name).reasons.items()
        if info.leads in (Leads.PERSON, Leads.REPAIR)
        # Pages of their own, which the page leads to; and what Reconverge closes of its own proposals.
        and code not in {row.code for row in TABLE}
        and not code.endswith("Superseded")
    }
    assert {code for code in codes if f"#{code.lower()})" not in told} == set()


def guard_of(action: Action) -> str:
    """The list of the contract that an owner must be on."""
    step = Step(action=action.value, object="", owner="nobody", before=None, after={}, mends="")
    return (refusal(step, Contract()) or "").partition(" ")[0]


def test_the_readme_tells_of_every_action_and_what_guards_it() -> None:
    section = README.partition("## What it may change")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \| [^|]+ \| `(contract\.\w+)` \|$", section, re.MULTILINE)
    told = {action: guard for actions, guard in rows for action in re.findall(r"`([^`]+)`", actions)}
    assert told == {action.value: guard_of(action) for action in Action}


def said_by_the_loader() -> str:
    """Every text of the landscape's code, one after the other."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "shared/landscape").rglob("*.py")]
    texts = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(text for text in texts if isinstance(text, str))


def test_the_page_on_the_landscape_quotes_only_what_the_loader_says() -> None:
    section = text_of("docs/landscape.md").partition("## When the file is refused")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?`) \| ", section, re.MULTILINE)
    quoted = {one or other for cell in cells for one, other in re.findall(r"`` ?(.+?) ?``|`([^`]+)`", cell)}
    assert len(quoted) > 40
    said = said_by_the_loader()
    # Names and numbers come into a message only when it is made, so its longest part without any has to do.
    assert {one for one in quoted if max(re.split(r"…|\d+", one), key=len).strip() not in said} == set()


def test_no_two_responders_share_a_code() -> None:
    codes = [code for name in REGISTRY for code in load(name).reasons]
    assert len(set(codes)) == len(codes)


def test_every_outcome_has_a_section_and_its_exit_code() -> None:
    page = text_of("docs/outcomes.md")
    rows = dict(re.findall(r"^\| \[`(\w+)`\]\(#\w+\) \| (\d) \|", page, re.MULTILINE))
    assert rows == {word.value: str(EXITS[word].value) for word in Word}
    assert {word.value for word in Word} <= anchors(page)


def test_every_exit_code_is_explained() -> None:
    section = text_of("docs/outcomes.md").partition("## Exit codes")[2]
    rows = {
        int(number): says for number, says in re.findall(r"^\| (\d) \| ([\w ]+) \|", section, re.MULTILINE)
    }
    assert set(rows) == set(Exit)
    assert all(rows[one].startswith(one.says) for one in Exit)


def routes() -> dict[str, str]:
    """HTTP method by path, of every route that the app serves."""
    found = re.findall(r'@app\.route\(route="([^"]+)", methods=\["(\w+)"', text_of("function_app.py"))
    return {f"/api/{route}": method for route, method in found}


def test_the_readme_tells_of_every_route_and_of_no_other() -> None:
    told = re.findall(r"^\| `(GET|POST) (/api/\S+)` \|", README, re.MULTILINE)
    assert {path: method for method, path in told} == routes()


def test_the_readme_tells_of_every_command_and_of_no_other() -> None:
    section = README.partition("## Command line")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)", section, re.MULTILINE)) == set(COMMANDS)


def shown(pattern: str) -> list[str]:
    """What the pattern's group finds in code, set apart or within a line."""
    code = re.findall(r"^```(?s:.*?)^```$|^ {4}.*$|`[^`\n]+`", ALL_PAGES, re.MULTILINE)
    return sorted({found for one in code for found in re.findall(pattern, one)})


@pytest.mark.parametrize("command", shown(r"\breconverge ([a-z]+)"))
def test_every_command_that_is_shown_exists(command: str) -> None:
    assert command in COMMANDS


@pytest.mark.parametrize("target", shown(r"\bmake ([a-z][a-z-]*)"))
def test_every_make_target_that_is_shown_exists(target: str) -> None:
    assert re.search(rf"^{target}:", text_of("Makefile"), re.MULTILINE)


def test_the_page_on_operation_lists_every_log_event_and_no_other() -> None:
    sources = [
        ROOT / "function_app.py",
        *(p for d in ("shared", "responders") for p in (ROOT / d).rglob("*.py")),
    ]
    logged = {
        event
        for source in sources
        for event in re.findall(r"\blog\.\w+\(\s*\"([\w.]+)\"", source.read_text(encoding="utf-8"))
    }
    section = text_of("docs/operate.md").partition("## The log")[2]
    assert logged == set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", section, re.MULTILINE))
