"""The host as a process: how it starts, refuses to, and ends."""

import json
import os
import stat
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest
import requests

from tests.runtime.host.harness import ROOT, Queue, RunningHost, Seen
from tests.waiting import eventually

HEAD = "import azure.functions as func\napp = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
HOST_JSON = '{"version": "2.0"}'


def write_app(directory: Path, code: str, host_json: str = HOST_JSON) -> Path:
    app = directory / "app"
    app.mkdir()
    (app / "function_app.py").write_text(HEAD + code, encoding="utf-8")
    (app / "host.json").write_text(host_json, encoding="utf-8")
    return app


SETTING = """
import os
from tests.waiting import eventually
@app.route("setting/{name}")
def setting(req: func.HttpRequest) -> str:
    return os.environ.get(req.route_params["name"], "unset")
"""


def test_app_settings_come_from_the_environment_before_local_settings(tmp_path: Path) -> None:
    app = write_app(tmp_path, SETTING)
    values = {"FROM_FILE": "file", "FROM_BOTH": "file"}
    (app / "local.settings.json").write_text(json.dumps({"Values": values}), encoding="utf-8")
    host = RunningHost.start(tmp_path, {"FROM_BOTH": "environment"}, app)
    try:
        assert host.call("GET", "/api/setting/FROM_FILE").text == "file"
        assert host.call("GET", "/api/setting/FROM_BOTH").text == "environment"
    finally:
        assert host.stop() == 0


def test_a_route_prefix_may_be_empty(tmp_path: Path) -> None:
    prefix = '{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}'
    host = RunningHost.start(tmp_path, {}, write_app(tmp_path, SETTING, prefix))
    try:
        assert host.call("GET", "/setting/NONE").text == "unset"
    finally:
        assert host.stop() == 0


def test_the_keys_file_is_for_its_owner_only(tmp_path: Path) -> None:
    host = RunningHost.start(tmp_path, {}, write_app(tmp_path, SETTING))
    assert host.stop() == 0
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


OUTPUT = """
@app.route("a")
@app.queue_output("q", "q", "NoSuch")
def a(req: func.HttpRequest, q: func.Out[str]) -> str: ...
"""

REFUSED = {
    "an argument that no binding has": (
        '@app.route("a")\ndef a(req: func.HttpRequest, other: str) -> str: ...',
        HOST_JSON,
        "cannot load the a function",
    ),
    "a module that does not import": ("import no_such_module", HOST_JSON, "No module named 'no_such_module'"),
    "an app without functions": ("", HOST_JSON, "declares no functions"),
    "a schedule that is none": (
        '@app.timer_trigger("t", "hourly")\ndef a(t: func.TimerRequest) -> None: ...',
        HOST_JSON,
        "function a: schedule 'hourly' must have six fields",
    ),
    "a setting that is not set": (
        '@app.timer_trigger("t", "%NO_SUCH%")\ndef a(t: func.TimerRequest) -> None: ...',
        HOST_JSON,
        "names the app setting NO_SUCH, which is not set",
    ),
    "a connection that is not set": (
        '@app.queue_trigger("m", "q", "NoSuch")\ndef a(m: func.QueueMessage) -> None: ...',
        HOST_JSON,
        "storage connection 'NoSuch' is not set",
    ),
    "an output's connection that is not set": (
        OUTPUT,
        HOST_JSON,
        "storage connection 'NoSuch' is not set",
    ),
    "a binding that this host lacks": (
        '@app.blob_trigger("b", "p", "C")\ndef a(b: func.InputStream) -> None: ...',
        HOST_JSON,
        "'blobTrigger' is no binding of this host",
    ),
    "a host.json that is no JSON": ("", "{", "host.json is not JSON"),
}


@pytest.mark.parametrize(("code", "host_json", "complaint"), REFUSED.values(), ids=REFUSED)
def test_an_app_that_cannot_be_served_ends_the_host_with_1_and_the_reason(
    tmp_path: Path, code: str, host_json: str, complaint: str
) -> None:
    app = write_app(tmp_path, code, host_json)
    ready = tmp_path / "ready.json"
    ended = subprocess.run(  # noqa: S603 (our own command line)
        [sys.executable, "-m", "sandbox.host", "--app", str(app), "--ready", str(ready)],
        env={**os.environ, "RECONVERGE_HOST_KEYS": str(tmp_path / "keys.json"), "AzureWebJobsStorage": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("host: ")
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not ready.exists()


def test_a_drain_finishes_requests_and_messages_and_takes_nothing_new(azurite: str, tmp_path: Path) -> None:
    work, seen = Queue.fresh(azurite), Seen(Queue.fresh(azurite))
    settings = {"AzureWebJobsStorage": azurite, "WORK": work.name, "SEEN": seen.queue.name}
    host = RunningHost.start(tmp_path, settings)
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(host.call("POST", "/api/slow/2.5")))
    asking.start()
    body = f"sleep 2 {uuid.uuid4().hex}"
    work.send(body)
    # The message is taken when none is visible any more.
    eventually(lambda: not work.client.peek_messages())

    assert host.stop() == 0
    asking.join()
    work.send("too late")

    assert [answer.text for answer in answers] == ["done"]
    seen.wait_for(lambda entry: isinstance(entry, dict) and entry.get("body") == body)
    assert work.take() == ["too late"]
    with pytest.raises(requests.ConnectionError):
        host.call("GET", "/api/echo/a")
