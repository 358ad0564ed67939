"""The admin API."""

import uuid
from typing import Any

import pytest
import requests

from tests.runtime.host.harness import RunningHost, Seen


def administer(host: RunningHost, method: str, path: str, **given: Any) -> requests.Response:
    return host.call(method, path, headers={"x-functions-key": host.keys["master"]}, **given)


def test_ping_needs_no_key(host: RunningHost) -> None:
    assert host.call("GET", "/admin/host/ping").status_code == 200


def test_the_host_says_that_it_runs(host: RunningHost) -> None:
    assert administer(host, "GET", "/admin/host/status").json()["state"] == "Running"


def test_functions_are_listed_with_their_bindings(host: RunningHost) -> None:
    listed = {one["name"]: one for one in administer(host, "GET", "/admin/functions").json()}
    assert sorted(listed) == host.ready["functions"]
    assert listed["tick"]["config"]["bindings"][0]["type"] in ("timerTrigger", "queue")
    assert listed["slow"]["invoke_url_template"] == f"{host.url}/api/slow/{{seconds}}"


@pytest.mark.parametrize("path", ["/admin/host/status", "/admin/functions"])
@pytest.mark.parametrize("key", ["", "function"])
def test_anything_else_needs_the_master_key(host: RunningHost, path: str, key: str) -> None:
    given = {"x-functions-key": host.keys[key]} if key else {}
    assert host.call("GET", path, headers=given).status_code == 401
    assert host.call("POST", "/admin/functions/work", headers=given, json={}).status_code == 401


def test_a_queue_function_is_run_with_the_given_input(host: RunningHost, seen_by_app: Seen) -> None:
    body = uuid.uuid4().hex
    assert administer(host, "POST", "/admin/functions/arm_event", json={"input": f'{{"id": "{body}"}}'}).ok
    seen_by_app.wait_for(lambda entry: isinstance(entry, dict) and entry.get("id") == body)


def test_a_timer_function_is_run_without_input(host: RunningHost, seen_by_app: Seen) -> None:
    assert administer(host, "POST", "/admin/functions/TICK", json={}).status_code == 202
    ticked = seen_by_app.wait_for(lambda entry: isinstance(entry, dict) and "tick" in entry)
    assert ticked["past_due"] is False


REFUSED: dict[str, tuple[str, str, int]] = {
    "an unknown function": ("none", "{}", 404),
    "no JSON": ("work", "text", 400),
    "no object": ("work", "[]", 400),
    "an event that is no JSON": ("arm_event", '{"input": "text"}', 400),
    "an HTTP function": ("echo", '{"input": ""}', 400),
}


@pytest.mark.parametrize(("name", "body", "status"), REFUSED.values(), ids=REFUSED)
def test_refuses(host: RunningHost, name: str, body: str, status: int) -> None:
    assert administer(host, "POST", f"/admin/functions/{name}", data=body).status_code == status
