"""Argo CD's repo-server: what a commit of a repository has in a folder, as manifests.

    the same commit and source     generated once, and kept until somebody asks for a hard refresh
    generating fails three times   told from memory from then on, also until a hard refresh
    getting the files fails        tried again each time that there is reason to look

https://argo-cd.readthedocs.io/en/stable/operator-manual/high_availability/#argocd-repo-server
"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from sandbox.argo_git import Access, GitRefused, WorkingCopy
from sandbox.argo_helm import Helm, HelmError, render
from sandbox.dials import Dials
from sandbox.kubernetes_objects import Object

ENOUGH: Final = 3
"""Failures to generate, after which it is not tried again. Argo CD's own number."""


class ManifestError(Exception):
    """There are no manifests to be had. The text is the repo-server's, as its caller gets it."""


class _Unreadable(Exception):
    """The files are there, and no manifests."""


@dataclass(frozen=True, slots=True)
class Source:
    """Of an Application."""

    repository: str
    revision: str
    path: str
    helm: Helm | None = None
    """The folder is a chart; None: its files are plain YAML."""


@dataclass(slots=True)
class _Failures:
    count: int = 0
    latest: str = ""


type _Key = tuple[str, str, str, Helm | None]
"""Repository, commit, folder and what the release is told."""


class RepoServer:
    def __init__(self, directory: Path, access: Access, dials: Dials) -> None:
        """directory: for working copies; it need not be there, and is gone after `close`"""
        self._directory = directory
        self._access = access
        self._dials = dials
        self._copies: dict[str, WorkingCopy] = {}
        self._at: dict[str, str] = {}
        """The commit whose files a working copy has, by repository."""
        self._using = asyncio.Lock()
        self._resolved: dict[tuple[str, str], str] = {}
        self._refused: dict[tuple[str, str], str] = {}
        self._generated: dict[_Key, tuple[Object, ...]] = {}
        self._failures: dict[_Key, _Failures] = {}

    def look_again(self) -> None:
        """There is reason to ask the remote: what it answered until now is forgotten."""
        # Whoever is asking at this moment asked too early, and writes to what nobody reads any more.
        self._resolved = {}
        self._refused = {}

    async def resolve(self, source: Source) -> str:
        """The commit that the source stands at. Raises ManifestError."""
        key, resolved = (source.repository, source.revision), self._resolved
        async with self._using:
            if key not in resolved:
                try:
                    resolved[key] = await self._copy(source.repository).resolve(source.revision)
                except GitRefused as refused:
                    raise ManifestError(f"rpc error: code = Unknown desc = {refused}") from None
            return resolved[key]

    async def generate(self, source: Source, commit: str, *, hard: bool = False) -> tuple[Object, ...]:
        """The manifests of that commit. Raises ManifestError.

        hard: forget what was generated or has failed before
        """
        key = (source.repository, commit, source.path, source.helm)
        if hard:
            self._generated.pop(key, None)
            self._failures.pop(key, None)
        if key in self._generated:
            return self._generated[key]
        failures = self._failures.setdefault(key, _Failures())
        if failures.count >= ENOUGH:
            raise ManifestError(
                f"rpc error: code = Unknown desc = Manifest generation error (cached): {failures.latest}"
            )
        async with self._using:
            await self._bring(source.repository, commit, hard=hard)
            try:
                found = await asyncio.to_thread(_made, self._copies[source.repository].path, source)
            except (_Unreadable, HelmError) as error:
                failures.count, failures.latest = failures.count + 1, str(error)
                raise ManifestError(f"rpc error: code = Unknown desc = {error}") from None
        self._generated[key] = found
        return found

    def close(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _bring(self, repository: str, commit: str, *, hard: bool) -> None:
        """Let the working copy have the commit's files. What was refused is not asked for twice on one
        occasion, however many Applications stand at that commit.
        """
        if self._at.get(repository) == commit and not hard:
            return
        key, refused = (repository, commit), self._refused
        if key not in refused:
            self._at.pop(repository, None)
            try:
                await self._copy(repository).check_out(commit)
            except GitRefused as error:
                refused[key] = str(error)
            else:
                self._at[repository] = commit
                return
        raise ManifestError(
            "rpc error: code = Unknown desc = failed to initialize repository resources: "
            f"rpc error: code = Internal desc = {refused[key]}"
        )

    def _copy(self, repository: str) -> WorkingCopy:
        if repository not in self._copies:
            self._copies[repository] = WorkingCopy(
                self._directory / str(len(self._copies)),
                repository,
                self._access,
                lambda: self._dials.argo_git_seconds,
            )
        return self._copies[repository]


def _made(root: Path, source: Source) -> tuple[Object, ...]:
    """Raises _Unreadable, HelmError."""
    if not (root / source.path).is_dir():
        raise _Unreadable(f"{source.path}: app path does not exist")
    return render(root, source.path, source.helm) if source.helm else _read(root, source.path)


def _read(root: Path, folder: str) -> tuple[Object, ...]:
    """All documents of all files of the folder, in the order of their names. Raises _Unreadable."""
    found: list[Object] = []
    for path in sorted((root / folder).glob("*.yaml")):
        try:
            documents = list(YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")))
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            raise _Unreadable(
                f'Failed to unmarshal "{path.name}": error converting YAML to JSON: '
                f"yaml: line {line}: {error.problem}"
            ) from None
        found += [_object(path.name, one) for one in documents if one is not None]
    return tuple(found)


def _object(file: str, document: Any) -> Object:
    """Raises _Unreadable."""
    if isinstance(document, dict):
        metadata = document.get("metadata")
        named = isinstance(metadata, dict) and metadata.get("name")
        if named and document.get("kind") and document.get("apiVersion"):
            return document
    raise _Unreadable(f'Failed to unmarshal "{file}": it is no object with kind, apiVersion and name')
