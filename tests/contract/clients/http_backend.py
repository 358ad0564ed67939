"""The real `git http-backend`, run as the CGI that it is, on repositories in a folder of the test's."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def answer(
    root: Path, method: str, address: str, body: bytes, headers: Mapping[str, str | None]
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body. Git ends with an error wherever it refuses; its answer stands all the same.

    address: path and query
    """
    path, _, query = address.partition("?")
    ended = subprocess.run(
        ["git", "http-backend"],  # noqa: S607
        input=body,
        capture_output=True,
        check=False,
        timeout=30,
        env={
            **os.environ,
            **GIT,
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": method,
            "CONTENT_TYPE": headers.get("Content-Type") or "",
            "GIT_PROTOCOL": headers.get("Git-Protocol") or "",
        },
    )
    head, _, content = ended.stdout.partition(b"\r\n\r\n")
    told = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return int(told.pop("Status", "200")[:3]), told, content
