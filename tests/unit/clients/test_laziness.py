"""Importing the clients costs next to nothing: SDKs are loaded by the first call that needs them."""

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys
import shared.clients
for module in pkgutil.iter_modules(shared.clients.__path__, "shared.clients."):
    importlib.import_module(module.name)
heavy = {"azure", "kubernetes", "requests", "pydantic", "urllib3", "msal", "aiohttp", "cryptography", "hvac"}
heavy |= {"dulwich"}
free = {"azure", "azure.functions"}  # the namespace; the host's own library is there before us
found = {name for name in sys.modules if name.split(".")[0] in heavy}
print(*sorted(name for name in found - free if not name.startswith("azure.functions.")))
"""


def test_importing_every_client_loads_no_sdk() -> None:
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(  # noqa: S603 (the program above, under our own interpreter)
        command, capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.strip() == ""
