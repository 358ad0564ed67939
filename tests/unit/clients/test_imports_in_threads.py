"""Threads that need an SDK for the first time at the same moment all get it."""

import subprocess
import sys

import pytest

PROGRAM = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from shared.clients.managed_clusters import ApiServer
from shared.clients.service_accounts import ServiceAccounts

class NoCredential:
    def get_token(self, *scopes, **options):
        raise AssertionError

together = Barrier(8)
accounts = [ServiceAccounts(NoCredential()) for _ in range(8)]

def first_use(number):
    together.wait()
    accounts[number]._api(ApiServer("https://127.0.0.1:1", ""))

with ThreadPoolExecutor(8) as pool:
    list(pool.map(first_use, range(8)))
"""


@pytest.mark.parametrize("attempt", range(3))
def test_the_first_use_of_a_client_by_many_threads_at_once_fails_for_none(attempt: int) -> None:
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 (ours)
    assert ended.returncode == 0, f"attempt {attempt}: {ended.stderr}"
