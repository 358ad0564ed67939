"""The loopback cloud, driven from outside the app."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One running cloud, seen from outside the app."""

    description: Mapping[str, Any] = field(repr=False)
    """Holds secrets."""

    @property
    def cluster_id(self) -> str:
        return str(self.description["clusters"][0])

    def identity_id(self, name: str) -> str:
        group = self.cluster_id.split("/providers/")[0]
        return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"

    def environment(self) -> dict[str, str]:
        told = self.description
        return {
            "RECONVERGE_ARM_ENDPOINT": told["cloud"],
            "AZURE_AUTHORITY_HOST": told["cloud"],
            "AZURE_CLIENT_ID": told["app"]["client_id"],
            "AZURE_TENANT_ID": told["tenant"],
            "IDENTITY_ENDPOINT": told["identity_endpoint"],
            "IDENTITY_HEADER": told["identity_header"],
            "REQUESTS_CA_BUNDLE": told["ca"],
        }

    def inject(self, path: str, **fault: Any) -> None:
        self.control("POST", "faults", {"path": path, **fault})

    def calls(self, service: str = "arm") -> list[tuple[str, str]]:
        """Method and path of what the service was asked since `forget_calls`."""
        seen = self.control("GET", "requests")["requests"]
        return [(one["method"], one["path"]) for one in seen if one["service"] == service]

    def forget_calls(self) -> None:
        self.control("DELETE", "requests")

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(
            method,
            f"{self.description['cloud']}/_sandbox/{path}",
            json=body,
            headers={"x-sandbox-key": self.description["control_key"]},
            verify=self.description["ca"],
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def running(directory: Path) -> Iterator[Cloud]:
    command = [sys.executable, "-m", "sandbox.server", "--dir", str(directory)]
    process = subprocess.Popen(command)  # noqa: S603 (our own module, under our own interpreter)
    try:
        yield Cloud(description=_description(process, directory / "cloud.json"))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _description(process: subprocess.Popen[bytes], path: Path) -> Mapping[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the loopback cloud does not come up")
        time.sleep(0.05)
    described: Mapping[str, Any] = json.loads(path.read_text())
    return described
