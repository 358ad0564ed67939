"""What may be wrong with an environment's GitLab, one function for each.

Those of the migrations begin as a rebuild does: without tables, and without pods that have seen any. They
change the input of the Job's name in Git, so that a new Job meets what is wrong. Nothing of it shows while
Argo CD cannot render the repository.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any, Final

from ruamel.yaml import YAML

from sandbox.gitlab import Gateway
from sandbox.gitlab_sources import RELEASE, values_file
from sandbox.kubernetes_resources import DEPLOYMENTS, PODS
from sandbox.postgres import EXTENSIONS, SERVICE
from sandbox.runtime_facts import BRANCH, FOLDERS, GITOPS
from sandbox.stages import Stage, Variant

type Json = dict[str, Any]

_SERVING: Final = ("webservice", "sidekiq")
"""Labels `app` of what waits for the tables."""
_ELSEWHERE: Final = "postgres-ci-rw"
_NO_SUCH_TAG: Final = "v18.8.9"
_FOREVER: Final = 3600.0
_DEADLINE: Final = 1
"""Seconds that a Job of the variant with a deadline may take."""


# -- how main and ci are mapped -------------------------------------------------------------


async def ci_unmapped(stage: Stage) -> None:
    """The values in Git map ci to no database of main's, and the check before the migrations refuses that."""

    def unmap(values: Json) -> None:
        _psql(values).pop("ci", None)
        if not _psql(values):
            # A mapping that is empty cannot keep the comment that stood in it.
            del values["global"]["psql"]

    await _redeploy(stage, unmap)


async def ci_on_another_host(stage: Stage) -> None:
    """The values in Git map ci to a host that is not there: the migrations pass, and pods wait for ci."""
    await _redeploy(stage, lambda values: _ci(values).update(host=_ELSEWHERE))


async def ci_by_another_name(stage: Stage) -> None:
    """The values in Git spell ci's host in another way than main's, so both have tasks on one database."""
    host = f"{SERVICE}.{stage.gitlab.namespace}"
    await _redeploy(stage, lambda values: _ci(values).update(host=host, databaseTasks=None))


async def ci_tasks_by_hand(stage: Stage) -> None:
    """The values in Git give ci, which is main's database, database tasks of its own."""
    await _redeploy(stage, lambda values: _ci(values).update(databaseTasks=True))


async def main_without_tasks(stage: Stage) -> None:
    """The values in Git take main's database tasks away, so nobody would make the tables."""
    await _redeploy(stage, lambda values: _main(values).update(databaseTasks=False))


async def ci_alone(stage: Stage) -> None:
    """The values in Git switch main off, and ci shares its database with nobody."""
    await _redeploy(stage, lambda values: _main(values).update(enabled=False))


# -- what the migrations meet ---------------------------------------------------------------


async def database_unreachable(stage: Stage) -> None:
    """The database's service is gone, and its name with it."""
    stage.gitlab.postgres.names.clear()
    await _redeploy(stage)


async def database_refuses(stage: Stage) -> None:
    """The database's service is there, and nobody listens behind it."""
    stage.gitlab.postgres.listens = False
    await _redeploy(stage)


async def database_missing(stage: Stage) -> None:
    """The database server has no database of main's name."""
    stage.gitlab.postgres.databases.clear()
    await _redeploy(stage)


async def password_refused(stage: Stage) -> None:
    """The role's password in the database was set by hand, and the Secret has another one."""
    stage.gitlab.postgres.other_password = "set-by-hand"  # noqa: S105 (of the sandbox)
    await _redeploy(stage)


async def extension_missing(stage: Stage) -> None:
    """The database server lacks an extension that the tables need."""
    for database in stage.gitlab.postgres.databases.values():
        database.extensions = EXTENSIONS - {"btree_gist"}
    await _redeploy(stage)


async def database_locked(stage: Stage) -> None:
    """Somebody else holds a lock that the migrations need, until they give up."""
    for database in stage.gitlab.postgres.databases.values():
        database.locked = True
    await _redeploy(stage)


async def image_not_pulled(stage: Stage) -> None:
    """The values in Git name an image for the migrations that no registry has."""
    await _redeploy(stage, lambda values: _migrations(values).update(image={"tag": _NO_SUCH_TAG}))


async def deadline_exceeded(stage: Stage) -> None:
    """The migrations take longer than the values in Git allow their Job."""
    for database in stage.gitlab.postgres.databases.values():
        database.slowness = _FOREVER
    await _redeploy(stage, lambda values: _migrations(values).update(activeDeadlineSeconds=_DEADLINE))


# -- what goes wrong after them -------------------------------------------------------------


async def stuck_in_init(stage: Stage) -> None:
    """The tables went after the migrations were complete: their Job does not run again, and pods wait."""
    _empty(stage)
    for pod in stage.objects.list(PODS, stage.gitlab.namespace):
        if (pod["metadata"].get("labels") or {}).get("app") in _SERVING:
            stage.objects.delete(PODS, stage.gitlab.namespace, pod["metadata"]["name"])


async def object_storage_users_gone(stage: Stage) -> None:
    """The object storage has lost its users: pages fail with 500, and the migrations are well."""
    stage.gitlab.storage_knows_us = False


async def monitoring_not_allowed(stage: Stage) -> None:
    """The values in Git let nobody see GitLab's monitoring pages: they answer 404, and all else is well."""
    await _change(stage, lambda values: _monitoring(values).update(ipWhitelist=[]))


async def web_down(stage: Stage) -> None:
    """Somebody has scaled the webservice to nothing by hand: the gateway answers 502."""
    namespace, name = stage.gitlab.namespace, f"{RELEASE}-webservice-default"
    held = stage.objects.get(DEPLOYMENTS, namespace, name)
    if held:
        held["spec"]["replicas"] = 0
        stage.objects.replace(DEPLOYMENTS, held)


async def route_lost(stage: Stage) -> None:
    """GitLab is well, and the gateway has no route to it: it answers 404 to every page."""
    stage.gitlab.gateway = Gateway.NO_ROUTE


async def restricted_at_the_edge(stage: Stage) -> None:
    """GitLab is well, and the edge lets nobody through from outside: it answers 403."""
    stage.gitlab.gateway = Gateway.RESTRICTED


async def redirected_in_circles(stage: Stage) -> None:
    """GitLab is well, and the gateway redirects every page to itself."""
    stage.gitlab.gateway = Gateway.CIRCLE


async def unreachable(stage: Stage) -> None:
    """GitLab is well, and the gateway cuts every connection."""
    stage.gitlab.gateway = Gateway.CUT


VARIANTS: Final[Mapping[str, Variant]] = {
    "gitlab-ci-unmapped": ci_unmapped,
    "gitlab-ci-on-another-host": ci_on_another_host,
    "gitlab-ci-by-another-name": ci_by_another_name,
    "gitlab-ci-tasks-by-hand": ci_tasks_by_hand,
    "gitlab-main-without-tasks": main_without_tasks,
    "gitlab-ci-alone": ci_alone,
    "gitlab-database-unreachable": database_unreachable,
    "gitlab-database-refuses": database_refuses,
    "gitlab-database-missing": database_missing,
    "gitlab-password-refused": password_refused,
    "gitlab-extension-missing": extension_missing,
    "gitlab-database-locked": database_locked,
    "gitlab-image-not-pulled": image_not_pulled,
    "gitlab-deadline-exceeded": deadline_exceeded,
    "gitlab-stuck-in-init": stuck_in_init,
    "gitlab-object-storage-users-gone": object_storage_users_gone,
    "gitlab-monitoring-not-allowed": monitoring_not_allowed,
    "gitlab-web-down": web_down,
    "gitlab-route-lost": route_lost,
    "gitlab-restricted-at-the-edge": restricted_at_the_edge,
    "gitlab-redirected-in-circles": redirected_in_circles,
    "gitlab-unreachable": unreachable,
}


# -- how ------------------------------------------------------------------------------------


async def _redeploy(stage: Stage, change: Callable[[Json], object] = dict) -> None:
    """Begin anew, with other values in Git and another name for the Job. Argo CD makes what is deleted here
    when it syncs the commit.
    """
    _empty(stage)
    for one in stage.objects.list(DEPLOYMENTS, stage.gitlab.namespace):
        if (one["metadata"].get("labels") or {}).get("app") in _SERVING:
            stage.objects.delete(DEPLOYMENTS, stage.gitlab.namespace, one["metadata"]["name"])

    def changed(values: Json) -> None:
        change(values)
        annotations = _beneath(_migrations(values), "annotations")
        annotations["rerun"] = str(int(annotations.get("rerun", 0)) + 1)

    await _change(stage, changed)


async def _change(stage: Stage, change: Callable[[Json], object]) -> None:
    """Of the environment's values in Git, whose comments stay."""
    path, yaml = values_file(FOLDERS[stage.environment]), YAML()
    document = yaml.load(await stage.forge.read(GITOPS, BRANCH, path) or "gitlab: {}")
    change(_beneath(document, "gitlab"))
    written = io.StringIO()
    yaml.dump(document, written)
    said = f"Change the values of GitLab in {stage.environment}"
    await stage.forge.commit(GITOPS, BRANCH, {path: written.getvalue()}, said)


def _empty(stage: Stage) -> None:
    for database in stage.gitlab.postgres.databases.values():
        database.migrated = False


def _beneath(values: Json, *names: str) -> Json:
    """The mapping at that place, made where there is none."""
    for name in names:
        if not values.get(name):
            values[name] = {}
        values = values[name]
    return values


def _psql(values: Json) -> Json:
    return _beneath(values, "global", "psql")


def _main(values: Json) -> Json:
    return _beneath(values, "global", "psql", "main")


def _ci(values: Json) -> Json:
    return _beneath(values, "global", "psql", "ci")


def _migrations(values: Json) -> Json:
    return _beneath(values, "gitlab", "migrations")


def _monitoring(values: Json) -> Json:
    return _beneath(values, "gitlab", "webservice", "monitoring")
