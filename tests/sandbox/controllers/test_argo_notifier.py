"""What the cluster's Argo CD tells an app, by the manifests that operators apply."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.argo_notifications import NOTIFIED
from tests.sandbox.controllers.argo import BOOTSTRAP_APPLICATION, Argo, config_map, job
from tests.sandbox.controllers.platform import Json
from tests.waiting import eventually

KEY = "the-key"


class Receiver:
    """An app that takes everything."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], Json]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((dict(self.headers), json.loads(body)))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/argocd"

    def of(self, name: str, trigger: str) -> list[Json]:
        return [
            body
            for _, body in self.received
            if (body["application"]["name"], body["trigger"]) == (name, trigger)
        ]


@pytest.fixture
def told(argo: Argo) -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    argo.platform.world.control.turn(notification_time_scale=0.0)
    argo.platform.world.control.notify(receiver.url, KEY)
    yield receiver
    argo.platform.here(lambda: setattr(argo.platform.cloud._controllers, "_notifications", None))
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def test_a_failed_sync_is_told_once(argo: Argo, told: Receiver) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", code=1, hook="PreSync"))
    name = argo.deploy(folder)
    argo.sync(name)
    state = argo.ended(name)
    (body,) = eventually(lambda: told.of(name, "reconverge-sync-failed"), "it is told")
    assert body["startedAt"] == state["startedAt"]
    assert body["application"]["uid"] == argo.get(name)["metadata"]["uid"]
    eventually(lambda: NOTIFIED in argo.get(name)["metadata"].get("annotations", {}), "it is remembered")
    argo.refresh(name, "hard")
    argo.refresh(BOOTSTRAP_APPLICATION)
    assert len(told.of(name, "reconverge-sync-failed")) == 1


def test_a_missing_commit_of_the_submodule_is_told_with_token_and_key(argo: Argo, told: Receiver) -> None:
    argo.platform.world.control.break_submodule()
    eventually(lambda: told.of(BOOTSTRAP_APPLICATION, "reconverge-condition"), "the condition is told")
    headers, _ = told.received[-1]
    token = argo.platform.world.described["notifications"]["token"]
    assert headers["Authorization"] == f"Bearer {token}"
    assert headers["x-functions-key"] == KEY


def test_what_goes_well_is_told_to_nobody(argo: Argo, told: Receiver) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", config_map("one"))
    name = argo.deploy(folder, automated=True)
    argo.becomes(name, "Synced")
    argo.refresh(name)
    assert not [body for _, body in told.received if body["application"]["name"] == name]
