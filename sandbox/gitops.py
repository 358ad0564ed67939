"""What Argo CD deploys: the Applications of the platform's cluster, and the repository they are made from.

That repository has the platform's documents as a submodule. Nothing of them is deployed, yet without the
commit that the submodule stands at, Argo CD renders nothing at all.
"""

import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ruamel.yaml import YAML

from sandbox import gitlab_sources, keycloak_names, manifests
from sandbox.argo_controller import NAMESPACE
from sandbox.argo_git import GITHUB
from sandbox.charts import keycloak_realm
from sandbox.forge import Forge
from sandbox.forge_records import Grants
from sandbox.git_repository import HEADS
from sandbox.kubernetes_objects import Object
from sandbox.runtime_facts import BACKLOG, BRANCH, FOLDERS, GITOPS

SUBMODULE: Final = "backlog"
BOOTSTRAP: Final = "foundation-vault-bootstrap"
REALM: Final = keycloak_names.RELEASE
GITLAB: Final = gitlab_sources.RELEASE
READER: Final[Grants] = {GITOPS: {"contents": "read"}, BACKLOG: {"contents": "read"}}
"""What Argo CD's own token may."""

_MODULES: Final = f"""\
[submodule "{SUBMODULE}"]
	path = {SUBMODULE}
	url = {GITHUB}{BACKLOG}.git
"""
_DOCUMENT: Final = "# Backlog\n\nThe platform's documents, by number.\n"


class Fate(StrEnum):
    """What has become of the commit that the submodule stands at."""

    FORGOTTEN = "forgotten"
    """No branch leads to it, and git does not serve it. GitHub has it still: a new branch brings it back."""
    LOST = "lost"
    """Nobody has it any more."""


def application_of(name: str, environment: str) -> str:
    """What Argo CD calls that component of the environment."""
    return f"{FOLDERS[environment]}-{name}"


def names_of(environment: str) -> list[str]:
    """The environment's Applications."""
    return [application_of(name, environment) for name in (BOOTSTRAP, REALM, GITLAB)]


def applications(environments: Iterable[str]) -> Iterator[Object]:
    for environment in environments:
        plain = {"path": _folder(BOOTSTRAP, environment)}
        yield _application(BOOTSTRAP, environment, plain)
        yield _application(REALM, environment, _chart(REALM, keycloak_realm.CHART, environment))
        yield _application(GITLAB, environment, _chart(GITLAB, gitlab_sources.CHART, environment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """What an environment's values name."""

    keycloak: str
    vault: str


async def seed(forge: Forge, environments: Mapping[str, Addresses]) -> None:
    """Make the documents' repository, and complete the other one, which must be there."""
    await forge.create(BACKLOG, {"README.md": _DOCUMENT})
    files = {".gitmodules": _MODULES, **keycloak_realm.FILES}
    for environment, addresses in environments.items():
        files[f"{_folder(BOOTSTRAP, environment)}/external-secrets.yaml"] = _text(
            manifests.external_secrets(manifests.namespace_of(environment))
        )
        files[values_file(REALM, environment)] = keycloak_realm.values_text(
            domain=domain_of(environment), keycloak=addresses.keycloak, vault=addresses.vault
        )
        files |= gitlab_sources.files(environment, FOLDERS[environment])
    await forge.commit(GITOPS, BRANCH, files, "Deploy the platform")
    await Backlog(forge).mend()


class Backlog:
    """The submodule, and how it breaks."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._numbers = itertools.count(1)

    async def show(self) -> dict[str, str | None]:
        """Where it stands."""
        head = await self._forge.head(GITOPS, BRANCH)
        entry = await self._forge.find(GITOPS).git.entry(head, SUBMODULE) if head else None
        return {
            "parent": f"{GITHUB}{GITOPS}.git",
            "branch": BRANCH,
            "path": SUBMODULE,
            "repository": f"{GITHUB}{BACKLOG}.git",
            "commit": entry.sha if entry else None,
        }

    async def break_off(self, fate: Fate) -> str:
        """As it happened to the platform: the submodule is moved to a commit of a branch that was squashed
        into the default branch and deleted. Answers that commit.
        """
        number = next(self._numbers)
        branch, text = f"document-{number}", f"{_DOCUMENT}\nDocument {number}.\n"
        commit = await self._forge.commit(BACKLOG, branch, {"README.md": text}, f"Write document {number}")
        await self._forge.commit(BACKLOG, BRANCH, {"README.md": text}, f"Write document {number} (#{number})")
        hosted = self._forge.find(BACKLOG)
        await hosted.git.move(f"{HEADS}{branch}", to=None, old=commit)
        await (hosted.git.forget(commit) if fate is Fate.FORGOTTEN else hosted.git.lose(commit))
        await self._forge.settle(hosted)
        await self._forge.pin(GITOPS, BRANCH, SUBMODULE, commit, f"Point {SUBMODULE} at document {number}")
        return commit

    async def mend(self) -> str:
        """Let it stand where the default branch does, whose commits everybody can fetch. Answers that."""
        commit = await self._forge.head(BACKLOG, BRANCH)
        assert commit is not None  # noqa: S101 (made with a first commit)
        if (await self.show())["commit"] != commit:
            await self._forge.pin(GITOPS, BRANCH, SUBMODULE, commit, f"Point {SUBMODULE} at {BRANCH}")
        return commit


# -- what is deployed -----------------------------------------------------------------------


def _folder(name: str, environment: str) -> str:
    return f"environments/{FOLDERS[environment]}/{name}"


def values_file(name: str, environment: str) -> str:
    """Path of the environment's values for a chart."""
    return f"sources/values/env/{FOLDERS[environment]}/platform/{name}.yaml"


def domain_of(environment: str) -> str:
    """What the names of the environment's hosts end with: those of prod name no environment."""
    return "ameide.io" if environment == "prod" else f"{environment}.ameide.io"


def _chart(name: str, chart: str, environment: str) -> Object:
    """A source with the environment's values."""
    files = [f"/{values_file(name, environment)}"]
    return {"path": chart, "helm": {"releaseName": name, "valueFiles": files}}


def _application(name: str, environment: str, source: Object) -> Object:
    repository = {"repoURL": f"{GITHUB}{GITOPS}.git", "targetRevision": BRANCH}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": application_of(name, environment), "namespace": NAMESPACE},
        "spec": {
            "project": "default",
            "source": {**repository, **source},
            "destination": {
                "server": "https://kubernetes.default.svc",
                "namespace": manifests.namespace_of(environment),
            },
            "syncPolicy": {
                "automated": {},
                "retry": {"limit": 1},
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
            },
        },
    }


def _text(objects: Iterable[Object]) -> str:
    written = io.StringIO()
    YAML(typ="safe", pure=True).dump_all(objects, written)
    return written.getvalue()
