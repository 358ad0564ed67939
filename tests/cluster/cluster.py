"""A cluster as the contract's tests see it: a namespace of their own, the official client, and kubectl."""

import json
import os
import subprocess
import sysconfig
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config

KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
SECONDS = 30.0

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and the reason of a Status object."""
        assert self.body["kind"] == "Status", self.body
        return self.status, self.body["reason"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    kubeconfig: Path
    namespace: str
    home: Path
    """For what kubectl keeps."""

    # -- the official client ----------------------------------------------------------

    @property
    def api(self) -> Any:
        load: Any = config.new_client_from_config  # the package leaves it untyped
        return load(str(self.kubeconfig))

    @property
    def core(self) -> Any:
        return client.CoreV1Api(self.api)

    def api_as(self, token: str) -> Any:
        """Whoever holds the token."""
        known = self.api.configuration
        settings = client.Configuration(host=known.host)
        settings.ssl_ca_cert = known.ssl_ca_cert
        settings.api_key = {"authorization": f"Bearer {token}"}
        return client.ApiClient(settings)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        as_: str = "application/json",
        api: Any = None,
        **query: str,
    ) -> Answer:
        """Any request, through the official client's connection. `path` may begin at the namespace."""
        used = api or self.api
        where, url, headers, data, _ = used.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json", "Content-Type": as_},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = used.call_api(where, url, headers, data, _request_timeout=SECONDS)
        content = answer.read()
        # A watch is JSON too, but many of them.
        is_json = "json" in (answer.headers.get("Content-Type") or "") and "watch" not in query
        return Answer(answer.status, json.loads(content) if is_json else content.decode())

    def path(self, plural: str, name: str = "", *, group: str = "") -> str:
        """Of a collection or an object in the namespace."""
        base = f"/apis/{group}" if group else "/api/v1"
        return f"{base}/namespaces/{self.namespace}/{plural}{'/' + name if name else ''}"

    def config_map(self, name: str = "", *, data: Json | None = None, **metadata: Any) -> Json:
        """A new one."""
        named = {"name": name} if name else {"generateName": "any-"}
        body = {"metadata": {**named, **metadata}, "data": data or {}}
        answer = self.send("POST", self.path("configmaps"), body)
        assert answer.status == 201, answer.body
        made: Json = answer.body
        return made

    def job(self, name: str = "", *, method: str = "POST", **metadata: Any) -> Json:
        """A new Job that never runs."""
        named = {"name": name} if name else {"generateName": "any-"}
        body = {"metadata": {**named, **metadata}, "spec": {"suspend": True, "template": POD_TEMPLATE}}
        answer = self.send(method, self.path("jobs", group="batch/v1"), body)
        assert answer.status == 201, answer.body
        made: Json = answer.body
        return made

    # -- kubectl ----------------------------------------------------------------------

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """What it prints; with check=False also where it fails, and then of what."""
        done = subprocess.run(  # noqa: S603 (our own command line)
            [KUBECTL, "--namespace", self.namespace, *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def kubectl_running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """One that goes on until it is stopped."""
        process = subprocess.Popen(  # noqa: S603 (our own command line)
            [KUBECTL, "--namespace", self.namespace, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home)}


POD_TEMPLATE = {
    "spec": {
        "restartPolicy": "Never",
        # No node has this label, so nothing is ever run or pulled.
        "nodeSelector": {"reconverge.invalid/nowhere": "true"},
        "containers": [{"name": "main", "image": "example.invalid/nothing"}],
    }
}


def some_name() -> str:
    return f"test-{uuid.uuid4().hex[:10]}"
