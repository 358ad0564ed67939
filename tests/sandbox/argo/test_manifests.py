"""The manifests of deploy/argocd: complete, safe to render, and written for nobody but our own webhook."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from sandbox.argo_notifications_config import SHIPPED, Config, shipped
from shared import signals
from shared.argocd_reports import read_report
from shared.model import Signal
from tests.sandbox.argo.samples import APPLICATIONS, CASES

FOLDER = SHIPPED.parent
URL = "https://reconverge.example/api/argocd"
SECRET = {"reconverge-token": "the-token", "reconverge-function-key": "the-key"}
SUBJECT = "argocd/dev-foundation-vault-bootstrap"


def loaded(name: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / name)
    return document


def config() -> Config:
    return Config.read(shipped(URL), SECRET)


def test_the_service_is_reached_with_token_and_key() -> None:
    (service,) = config().services.values()
    assert service.url == URL
    assert service.headers == {
        "Content-Type": "application/json",
        "Authorization": "Bearer the-token",
        "x-functions-key": "the-key",
    }


def test_a_secret_that_lacks_a_key_leaves_the_reference_as_it_stands() -> None:
    (service,) = Config.read(shipped(URL), {}).services.values()
    assert service.headers["Authorization"] == "Bearer $reconverge-token"


def test_argo_cd_finds_nothing_to_replace_but_the_keys_of_the_secret() -> None:
    text = "".join(loaded("notifications-cm.yaml")["data"].values())
    words = re.findall(r"\$[\w-]*", text)
    secret = loaded("notifications-secret.yaml")["stringData"]
    assert sorted(words) == sorted(f"${name}" for name in secret)
    assert set(secret.values()) == {""}


def test_every_trigger_is_subscribed_and_has_a_template_of_its_own_that_names_it() -> None:
    read = config()
    pairs = read.recipients({"metadata": {}})
    assert set(pairs) == {(trigger, "reconverge") for trigger in read.triggers}
    for trigger, conditions in read.triggers.items():
        assert [one.send for one in conditions] == [(trigger,)]
        body = read.templates[trigger].webhooks["reconverge"].body({"app": APPLICATIONS["failed"]})
        assert json.loads(body)["trigger"] == trigger
    assert set(read.templates) == set(read.triggers)


def test_every_template_posts_its_body_to_our_service_and_to_no_other() -> None:
    for template in config().templates.values():
        (webhook,) = [template.webhooks["reconverge"]]
        assert set(template.webhooks) == {"reconverge"}
        assert webhook.method == "POST"
        assert webhook.path({}) == ""


def test_every_template_and_expression_was_rendered_by_go_as_it_stands() -> None:
    by_go = {case["text"] for case in CASES}
    data = loaded("notifications-cm.yaml")["data"]
    for key, text in data.items():
        said = YAML(typ="safe", pure=True).load(text)
        if key.startswith("template."):
            assert said["webhook"]["reconverge"]["body"] in by_go
        if key.startswith("trigger."):
            assert {one[part] for one in said for part in ("when", "oncePer") if part in one} <= by_go


COMPARABLE = {name: one for name, one in APPLICATIONS.items() if "null" not in name}
BODIES = {
    f"{name} | {template}": (template, one)
    for template in config().templates
    for name, one in COMPARABLE.items()
}


@pytest.mark.parametrize(("template", "application"), BODIES.values(), ids=BODIES)
def test_whatever_the_application_is_like_the_webhook_reads_what_is_sent(
    template: str, application: dict[str, Any]
) -> None:
    body = config().templates[template].webhooks["reconverge"].body({"app": application})
    (signal,) = signals.from_argocd(body.encode())
    assert isinstance(signal, Signal)
    assert signal.subject == SUBJECT


def test_no_text_that_an_application_quotes_is_sent() -> None:
    for template in config().templates.values():
        for application in COMPARABLE.values():
            body = template.webhooks["reconverge"].body({"app": application})
            assert "not our ref" not in body
            assert len(body) < 1024


def test_events_of_one_application_are_told_apart() -> None:
    """By trigger, operation, revision and conditions."""
    sent = {
        template.webhooks["reconverge"].body({"app": application})
        for template in config().templates.values()
        for application in COMPARABLE.values()
    }
    assert len({read_report(body.encode()).event for body in sent}) == len(sent)


def test_the_component_joins_its_keys_to_those_that_are_there_and_empties_no_secret(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "argocd")
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-notifications-cm", "namespace": "argocd"},
        "data": {"context": "x: y"},
    }
    (tmp_path / "held.yaml").write_text(json.dumps(held))
    (tmp_path / "kustomization.yaml").write_text("resources: [held.yaml]\ncomponents: [argocd]\n")
    built = subprocess.run(  # noqa: S603 (our own command line)
        [Path(sys.executable).with_name("kubectl"), "kustomize", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (document,) = YAML(typ="safe", pure=True).load_all(built.stdout)
    assert document == held | {"data": {"context": "x: y", **loaded("notifications-cm.yaml")["data"]}}
