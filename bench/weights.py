"""`python -m bench.weights`: what each dependency weighs, for the comments beside it in pyproject.toml."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
RUNS: Final = 15
"""Fresh interpreters, of which the fastest counts: whatever else the computer did only adds."""
IMPORTS: Final = {
    "azure-functions": "azure.functions",
    "azure-functions-runtime": "azure_functions_runtime",
    "azure-identity": "azure.identity",
    "azure-mgmt-containerservice": "azure.mgmt.containerservice",
    "azure-mgmt-msi": "azure.mgmt.msi.v2024_11_30",
    "azure-data-tables": "azure.data.tables",
    "azure-storage-queue": "azure.storage.queue",
    "azure-eventgrid": "azure.eventgrid",
    "azure-keyvault-secrets": "azure.keyvault.secrets",
    "dulwich": "dulwich.client",
    "kubernetes": "kubernetes.client",
    "hvac": "hvac",
    "pydantic": "pydantic.main",
    "ruamel.yaml": "ruamel.yaml",
    "rich": "rich.console",
    "aiohttp": "aiohttp.web",
    "azure-storage-blob": "azure.storage.blob.aio",
    "cryptography": "cryptography.hazmat.primitives.asymmetric.rsa",
    "pyjwt": "jwt",
    "trustme": "trustme",
}
"""As our code imports it, with all that this imports in turn. What is not here is run or only tested with."""


def main() -> None:
    print(f"{'package':<28}  {'MB':>6}  {'import':>8}")
    for name in declared():
        taken = f"{import_ms(IMPORTS[name]):.0f} ms" if name in IMPORTS else "-"
        print(f"{name:<28}  {size_mb(name):>6.1f}  {taken:>8}", flush=True)


def declared() -> Iterator[str]:
    """By name, in the order of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for group in (project["dependencies"], *project["optional-dependencies"].values()):
        for requirement in group:
            yield re.split(r"[=<>~\[ ]", requirement)[0]


def size_mb(name: str) -> float:
    """Of the files that it brings, without what it depends on and without bytecode."""
    package = distribution(name)
    paths = [Path(str(package.locate_file(one))) for one in package.files or () if one.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.exists()) / 1e6


def import_ms(module: str) -> float:
    """Wall time in a fresh interpreter, whose own start does not count, with bytecode and files at hand."""
    program = f"import time; begun = time.perf_counter(); import {module}; print(time.perf_counter() - begun)"
    return 1000 * min(_seconds(program) for _ in range(RUNS))


def _seconds(program: str) -> float:
    told = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return float(told.stdout)


if __name__ == "__main__":
    main()
