"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredGitLab, Environment
from shared.permission_rules import (
    PROPOSING,
    READING_AN_APPLICATION,
    SEEING_PROPOSALS,
    ClusterRole,
    api_server,
    argocd_for,
    listed_repositories,
    namespaces,
    syncing,
)
from shared.permissions import InRepository, Rule

READING: Final = ClusterRole("gitlab-migrations.yaml", "reconverge-gitlab-reader")


def _gitlab(environment: Environment) -> Iterator[DeclaredGitLab]:
    if environment.gitlab:
        yield environment.gitlab


def _values(environment: Environment) -> Iterator[InRepository]:
    for one in _gitlab(environment):
        if one.migrations:
            yield InRepository(one.migrations.values.repository)


RULES: Final = (
    api_server(_gitlab),
    Rule(
        purpose="the migrations and their log, what waits for them, and the rendered databases",
        rights=(
            READING.may("list", "jobs", "batch"),
            READING.may("get", "jobs", "batch"),
            READING.may("list", "pods"),
            READING.may("get", "pods/log"),
            READING.may("list", "configmaps"),
        ),
        where="GitLab's namespace",
        places=namespaces(_gitlab),
    ),
    Rule(
        purpose="what Argo CD says of the Application",
        rights=(READING_AN_APPLICATION,),
        where="Argo CD's namespace",
        places=argocd_for(_gitlab),
    ),
    Rule(
        purpose="reading the values and seeing pull requests",
        rights=SEEING_PROPOSALS,
        where="the repository of `gitlab.migrations.values`",
        places=_values,
    ),
    Rule(
        purpose="changing the values by pull request",
        rights=PROPOSING,
        where="the same, in `contract.repositories`",
        places=listed_repositories(_values),
        actions=(Action.GITLAB_MAP, Action.GITLAB_RERUN),
    ),
    syncing(
        _gitlab,
        purpose="syncing the Application",
        where="Argo CD's namespace, where `contract.applications` lists it",
    ),
)
