"""HTTP triggers, over real HTTP."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.runtime.host.harness import RunningHost, Seen


def test_a_function_sees_its_request_as_the_host_hands_it_over(host: RunningHost) -> None:
    answer = host.call(
        "POST",
        "/api/echo/a%20b/c?kept=1&empty=&twice=1&twice=2",
        data=b"body",
        headers={"X-Mixed-Case": "Value"},
    )
    seen = answer.json()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert seen["method"] == "POST"
    assert seen["url"].endswith("/api/echo/a%20b/c?kept=1&empty=&twice=1&twice=2")
    assert seen["headers"]["x-mixed-case"] == "Value"
    assert seen["params"] == {"kept": "1", "twice": "1,2"}
    assert seen["route_params"] == {"first": "a b", "second": "c"}
    assert seen["body"] == "body"


def test_an_optional_route_parameter_may_be_left_out(host: RunningHost) -> None:
    assert host.call("GET", "/api/echo/a").json()["route_params"] == {"first": "a"}


def test_a_chunked_body_arrives_empty(host: RunningHost) -> None:
    sent = host.call("POST", "/api/echo/a", data=iter([b"one", b"two"]))
    assert sent.json()["headers"]["transfer-encoding"] == "chunked"
    assert sent.json()["body"] == ""


ANSWERS = {
    "a returned string is a 200 of plain text": ("GET", "/api/echo/fixed/word", 200, "fixed"),
    "letter case of the path does not count": ("GET", "/API/Echo/Fixed/Word", 200, "fixed"),
    "a wrong method is no route, so the next one matches": ("PUT", "/api/echo/fixed/word", 201, None),
    "a wrong method without another route is not found": ("GET", "/api/slow/0", 404, ""),
    "an unknown path is not found": ("GET", "/api/none", 404, ""),
    "a path without the prefix is not found": ("GET", "/echo/a", 404, ""),
    "an exception is a 500 that tells nothing": ("GET", "/api/raises", 500, ""),
    "None where an answer is due is a 500": ("GET", "/api/nothing", 500, ""),
}


@pytest.mark.parametrize(("method", "path", "status", "text"), ANSWERS.values(), ids=ANSWERS)
def test_answers(host: RunningHost, method: str, path: str, status: int, text: str | None) -> None:
    answer = host.call(method, path)
    assert answer.status_code == status
    assert text is None or answer.text == text


def test_cookies_are_set(host: RunningHost) -> None:
    answer = host.call("GET", "/api/cookies")
    assert answer.status_code == 202
    assert answer.headers["set-cookie"] == "a=1; HttpOnly; Path=/"


FUNCTION, ADMIN = "/api/guarded", "/api/admins"
DOORS = {
    "a function without a key is closed": (FUNCTION, None, None, 401),
    "a function opens to its key in the header": (FUNCTION, "function", None, 200),
    "a function opens to its key in code": (FUNCTION, None, "function", 200),
    "a function opens to the master key": (FUNCTION, "master", None, 200),
    "a function is closed to the system key": (FUNCTION, "system", None, 401),
    "a function is closed to another key": (FUNCTION, "wrong", None, 401),
    "a wrong key in the header beats a good one in code": (FUNCTION, "wrong", "function", 401),
    "an admin function opens to the master key": (ADMIN, "master", None, 200),
    "an admin function is closed to the function key": (ADMIN, "function", None, 401),
    "an anonymous function minds no wrong key": ("/api/echo/a", "wrong", None, 201),
}


@pytest.mark.parametrize(("path", "header", "code", "status"), DOORS.values(), ids=DOORS)
def test_opens_to_its_keys_only(
    host: RunningHost, path: str, header: str | None, code: str | None, status: int
) -> None:
    keys = {**host.keys, "system": host.keys["system"]["eventgrid_extension"], "wrong": "x"}
    answer = host.call(
        "GET",
        path,
        headers={"x-functions-key": keys[header]} if header else {},
        params={"code": keys[code]} if code else {},
    )
    assert answer.status_code == status
    if status == 401:
        assert answer.content == b""


OUTPUTS = {
    "a string is one message": ("text-1", ["text-1"]),
    "a list is one message each": (["list-1", "list-2"], ["list-1", "list-2"]),
    "an object is a message of JSON": ({"object": 1}, [{"object": 1}]),
}


@pytest.mark.parametrize(("body", "expected"), OUTPUTS.values(), ids=OUTPUTS)
def test_a_queue_output_is_written_by_the_time_of_the_answer(
    host: RunningHost, seen_by_app: Seen, body: object, expected: list[object]
) -> None:
    seen_by_app.look()
    before = len(seen_by_app.entries)
    assert host.call("POST", "/api/outputs/return", json=body).text == "sent"
    assert [entry for entry in seen_by_app.look()[before:] if entry in expected] == expected


def test_the_output_of_a_failed_function_is_not_written(host: RunningHost, seen_by_app: Seen) -> None:
    assert host.call("POST", "/api/outputs/raise", json="never").status_code == 500
    host.call("POST", "/api/outputs/return", json="after-it")
    seen_by_app.wait_for(lambda entry: entry == "after-it")
    assert "never" not in seen_by_app.entries


def test_a_function_that_takes_longer_than_function_timeout_is_a_500(host: RunningHost) -> None:
    began = time.monotonic()
    assert host.call("POST", "/api/slow/20").status_code == 500
    assert 3 <= time.monotonic() - began < 19


def test_logs_are_json_lines_with_extra_fields_and_the_invocation(host: RunningHost) -> None:
    host.call("GET", "/api/logs")
    lines = host.logged()
    said = next(line for line in lines if line["message"] == "app.said")
    assert (said["level"], said["logger"], said["colour"]) == ("WARNING", "app", "green")
    executed = [line for line in lines if line.get("function") == "logs"]
    assert executed[-1]["invocation_id"] == said["invocation_id"]


def test_a_functions_traceback_is_logged(host: RunningHost) -> None:
    host.call("GET", "/api/raises")
    assert any("not for callers" in line.get("exception", "") for line in host.logged())


def test_keys_in_urls_are_not_logged(host: RunningHost) -> None:
    host.call("GET", FUNCTION, params={"code": host.keys["function"]})
    assert host.keys["function"] not in host.log.read_text()


def test_only_loopback_is_listened_on(host: RunningHost) -> None:
    port = urlsplit(host.url).port
    assert port is not None
    with socket.socket() as probe:
        probe.settimeout(2)
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_the_ready_file_names_process_address_and_functions(host: RunningHost) -> None:
    assert host.ready["pid"] == host.process.pid
    assert host.ready["functions"] == sorted(host.ready["functions"])
    assert {"echo", "work", "tick", "arm_event"} <= set(host.ready["functions"])
    assert json.dumps(host.keys) not in json.dumps(host.ready)
