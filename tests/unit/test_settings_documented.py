"""Every setting the app reads stands in the sample and on the page of settings, and nothing else does."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text()


def read_by_the_app() -> set[str]:
    code = (ROOT / "shared" / "settings.py").read_text() + (ROOT / "function_app.py").read_text()
    return set(re.findall(r"\b(?:RECONVERGE|AZURE)_[A-Z_]+\b|\bAzureWebJobsStorage\b", code)) - SDK_OWN


SDK_OWN = {"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"}
"""Read by the identity SDK for a service principal of CI, never set for the app."""


def sample() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    return values


def leaves(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in leaves(inner, key)}
    return {path}


def test_the_sample_holds_what_the_app_reads() -> None:
    assert read_by_the_app() <= set(sample())


def test_the_page_explains_every_setting_of_the_sample() -> None:
    assert [name for name in sample() if f"`{name}`" not in PAGE] == []


def test_the_page_explains_every_key_of_host_json() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    named_as_a_group = {
        "version",
        "id",
        "isEnabled",
        "default",
        "Host.Results",
        "Function",
        "Azure.Core",
        "azure",
    }
    assert [key for key in leaves(host) - named_as_a_group if key not in PAGE] == []
