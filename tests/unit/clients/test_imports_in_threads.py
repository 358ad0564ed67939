"""Threads that need an SDK for the first time at the same moment all get it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[3] / "shared" / "clients"

BEGIN = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

sys.setswitchinterval(0.00001)  # whatever can come between two threads does

class NoCredential:
    def get_token(self, *scopes, **options):
        raise AssertionError

def all_at_once(first_uses):
    together = Barrier(len(first_uses))

    def begin(use):
        together.wait()
        use()

    with ThreadPoolExecutor(len(first_uses)) as pool:
        list(pool.map(begin, first_uses))
"""

ONE_SDK = """
from shared.clients.managed_clusters import ApiServer
from shared.clients.service_accounts import ServiceAccounts

accounts = [ServiceAccounts(NoCredential()) for _ in range(8)]
all_at_once([lambda one=one: one._api(ApiServer("https://127.0.0.1:1", "")) for one in accounts])
"""

DIFFERENT_SDKS = """
from shared.clients import arm, azure_core, github_http, queues, sessions, tables
from shared.clients.key_vault import KeyVaults
from shared.clients.managed_identities import ManagedIdentities
from shared.clients.resources import Resources
from shared.settings import Settings

def translated():
    with azure_core.translated("nobody", Exception):
        pass

settings = Settings.from_environment({"AzureWebJobsStorage": "UseDevelopmentStorage=true"})
all_at_once([
    translated,
    lambda: arm.options(settings, NoCredential()),
    azure_core.transport,
    lambda: sessions.session(1, 1),
    lambda: Resources(settings, NoCredential())._client(""),
    lambda: ManagedIdentities(settings, NoCredential())._client("s"),
    lambda: KeyVaults(NoCredential())._secrets("https://kv.vault.azure.net/"),
    lambda: tables.StorageRows(settings.storage, NoCredential())._client("rows"),
    lambda: queues.StorageMessages(settings.storage, NoCredential())._client("messages"),
])
"""


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("program", [ONE_SDK, DIFFERENT_SDKS], ids=["one", "different ones"])
def test_the_first_use_of_sdks_by_many_threads_at_once_fails_for_none(program: str, attempt: int) -> None:
    command = [sys.executable, "-c", BEGIN + program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 (ours)
    assert ended.returncode == 0, f"attempt {attempt}: {ended.stderr}"


def imports_within_functions(node: ast.AST, *, held: bool = False, within: bool = False) -> Iterator[str]:
    """Of what is not of Python's own library, without holding IMPORTING."""
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.With(items=[ast.withitem(context_expr=ast.Name(id="IMPORTING"))]):
            held = True
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            within = True
        case ast.Import(names=names) if within and not held:
            yield from (f"line {node.lineno}: {one.name}" for one in names if is_foreign(one.name))
        case ast.ImportFrom(module=str(module)) if within and not held and is_foreign(module):
            yield f"line {node.lineno}: {module}"
    for child in ast.iter_child_nodes(node):
        yield from imports_within_functions(child, held=held, within=within)


def is_foreign(module: str) -> bool:
    return module.partition(".")[0] not in sys.stdlib_module_names


@pytest.mark.parametrize("path", sorted(CLIENTS.glob("*.py")), ids=lambda path: path.stem)
def test_every_import_of_an_sdk_waits_for_those_of_other_threads(path: Path) -> None:
    assert list(imports_within_functions(ast.parse(path.read_text(encoding="utf-8")))) == []
