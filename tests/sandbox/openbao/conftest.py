"""A real OpenBao to each test that wants one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sandbox import openbao
from sandbox.openbao import Server

STOP_SECONDS = 30.0


@contextmanager
def running(directory: Path, *environments: str) -> Iterator[tuple[Server, ...]]:
    """One server to each environment; nobody has initialised them."""
    servers = Server.on_free_ports(environments)
    with ExitStack() as started:
        for server in servers:
            started.enter_context(_process(server, directory))
        yield servers


@contextmanager
def _process(server: Server, directory: Path) -> Iterator[None]:
    with (directory / f"{server.name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (our own command line)
            openbao.command(server, directory),
            env=openbao.environment_of(os.environ),
            stdout=log,
            stderr=log,
        )
    try:
        openbao.wait_until_open(server, lambda: process.poll() is None)
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, "dev") as (one,):
        yield one
