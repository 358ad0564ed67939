"""GitLab's chart: what its values lead to, the names of its Jobs above all."""

import base64
import hashlib
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from ruamel.yaml import YAML

from sandbox import gitlab_sources
from sandbox.argo_helm import merged
from sandbox.charts import ChartError, Release
from sandbox.charts.gitlab import database_config, templates
from sandbox.charts.suffix import suffix, to_yaml
from sandbox.gitlab_config import read_config

type Json = dict[str, Any]

RELEASE = Release(
    name="platform-gitlab",
    namespace="ameide-dev",
    chart="gitlab",
    chart_version="9.8.2",
    app_version="18.8.2",
)
PASSWORD = {"GITLAB_DATABASE_PASSWORD": "it's: a secret"}


def values(change: Callable[[Json], object] = dict) -> Json:
    """Of dev, as they are in Git, with a change below `gitlab`."""
    load = YAML(typ="safe", pure=True).load
    files = gitlab_sources.files("dev", "dev")
    found = merged(
        load(files[f"{gitlab_sources.CHART}/values.yaml"]), load(files[gitlab_sources.values_file("dev")])
    )
    change(found["gitlab"])
    return found


def made(change: Callable[[Json], object] = dict, kind: str = "Job") -> dict[str, Json]:
    """Manifests of the kind, by name."""
    found = templates(RELEASE, values(change))
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def migrations(change: Callable[[Json], object] = dict) -> str:
    """Name of the migrations Job."""
    (name,) = [one for one in made(change) if "-bbm-" not in one]
    return name


# -- the suffix -------------------------------------------------------------------------------

YAML_OF_HAND = """\
annotations:
  day: "2026-01-21"
  rerun: "1"
  said: 'no: not again'
  when: 2026-01-21T00
global:
  job: {}
  list:
  - a
  - 10.0.0.0/8
  - b: 1
    c: "yes"
  psql:
    host: postgres-ameide-rw
    port: 5432
  words: two words
replicas: 1
validate: true"""
GIVEN: Json = {
    "validate": True,
    "replicas": 1,
    "local": {"psql": {"main": {"Release": {"Revision": 7}}}},
    "global": {
        "psql": {"port": 5432, "host": "postgres-ameide-rw"},
        "job": {},
        "list": ["a", "10.0.0.0/8", {"c": "yes", "b": 1}],
        "words": "two words",
    },
    "annotations": {"when": "2026-01-21T00", "said": "no: not again", "rerun": "1", "day": "2026-01-21"},
}


def test_values_are_written_as_helm_writes_them() -> None:
    without_local = {name: value for name, value in GIVEN.items() if name != "local"}
    assert to_yaml(without_local) == YAML_OF_HAND


def test_the_suffix_is_of_both_versions_and_the_values_without_what_changes_by_itself() -> None:
    encoded = base64.b64encode(YAML_OF_HAND.encode()).decode()
    expected = hashlib.sha256(f"9.8.2-18.8.2-{encoded}".encode()).hexdigest()[:7]
    assert suffix(RELEASE, GIVEN) == expected
    assert suffix(RELEASE, {**GIVEN, "local": {"other": 1}}) == expected


def test_a_suffix_of_ones_own_takes_its_place() -> None:
    def override(given: Json) -> None:
        given["global"]["job"] = {"nameSuffixOverride": "again-2"}

    assert set(made(override)) == {
        "platform-gitlab-migrations-again-2",
        "platform-gitlab-migrations-bbm-again-2",
    }


CHANGES: dict[str, tuple[Callable[[Json], object], bool]] = {
    "nothing": (dict, False),
    "the same in another order": (
        lambda given: given["global"].update(psql=dict(reversed(given["global"]["psql"].items()))),
        False,
    ),
    "an annotation of the migrations": (
        lambda given: given["gitlab"]["migrations"]["annotations"].update(rerun="2"),
        True,
    ),
    "the database of ci": (lambda given: given["global"]["psql"]["ci"].update(database="other"), True),
    "a value for all": (lambda given: given["global"].update(edition="ee"), True),
    "a value of another subchart": (lambda given: given["gitlab"]["webservice"].update(minReplicas=2), False),
}


@pytest.mark.parametrize(("change", "another"), CHANGES.values(), ids=CHANGES)
def test_only_what_the_migrations_see_makes_another_job(
    change: Callable[[Json], object], another: bool
) -> None:
    assert (migrations(change) != migrations()) is another


def test_other_versions_make_another_job() -> None:
    found = values()["gitlab"]["gitlab"]["migrations"]
    newer = Release(**{**{name: getattr(RELEASE, name) for name in RELEASE.__slots__}, "app_version": "18.9"})
    assert suffix(newer, found) != suffix(RELEASE, found)


# -- the databases ----------------------------------------------------------------------------

MAIN = {"database": "gitlabhq_production", "host": "postgres-ameide-rw", "port": 5432}
TASKS: dict[str, tuple[Json | None, bool | None]] = {
    "ci that is main by database, host and port": (MAIN, False),
    "ci whose port is written as text": ({**MAIN, "port": "5432"}, False),
    "ci that says nothing": ({}, False),
    "ci of another database": ({**MAIN, "database": "gitlabhq_production_ci"}, True),
    "ci of the same host in other words": ({**MAIN, "host": "postgres-ameide-rw.ameide-dev"}, True),
    "ci of another port": ({**MAIN, "port": 5433}, True),
    "ci that is main and was told otherwise": ({**MAIN, "databaseTasks": True}, True),
    "ci that is another and was told otherwise": ({"database": "other", "databaseTasks": False}, False),
    "ci whose tasks are written as text": ({"database": "other", "databaseTasks": "false"}, False),
    "ci that is switched off": ({"enabled": False}, None),
    "no ci": (None, None),
}


@pytest.mark.parametrize(("ci", "tasks"), TASKS.values(), ids=TASKS)
def test_ci_has_no_tasks_by_itself_only_where_all_is_mains(ci: Json | None, tasks: bool | None) -> None:
    psql: Json = {"username": "gitlab", "main": MAIN, **({} if ci is None else {"ci": ci})}
    found = {one.name: one for one in read_config(database_config({"psql": psql}), PASSWORD)}
    assert found["main"].tasks
    assert (found["ci"].tasks if "ci" in found else None) == tasks


def test_rails_is_told_where_the_databases_are_and_never_the_password() -> None:
    (text,) = {one["data"]["database.yml.erb"] for one in made(kind="ConfigMap").values()}
    assert text.splitlines()[:10] == [
        "production:",
        "  main:",
        "    adapter: postgresql",
        "    encoding: unicode",
        '    database: "gitlabhq_production"',
        '    username: "gitlab"',
        '    password: <%= ENV.fetch("GITLAB_DATABASE_PASSWORD").to_json %>',
        '    host: "postgres-ameide-rw"',
        "    port: 5432",
        "    database_tasks: true",
    ]
    main, ci = read_config(text, PASSWORD)
    assert main.place == ci.place
    assert main.place.password == "it's: a secret"
    assert PASSWORD["GITLAB_DATABASE_PASSWORD"] not in repr(main)


REQUIRED = {
    "host": lambda psql: psql["main"].pop("host"),
    "database": lambda psql: psql["main"].pop("database"),
    "username": lambda psql: psql.pop("username"),
    "password": lambda psql: psql.pop("password"),
    "secret": lambda psql: psql["password"].pop("secret"),
}


@pytest.mark.parametrize(("key", "take"), REQUIRED.items(), ids=REQUIRED)
def test_a_value_that_is_required_is_asked_for(key: str, take: Callable[[Json], object]) -> None:
    def without(given: Json) -> None:
        psql = given["global"]["psql"] = deepcopy(given["global"]["psql"])
        psql["ci"].clear()
        take(psql)

    with pytest.raises(ChartError, match=rf"Make sure to set `global\.psql\.(password\.)?{key}`"):
        made(without)


# -- manifests --------------------------------------------------------------------------------


def test_everything_can_be_found_by_its_labels() -> None:
    for one in templates(RELEASE, values()):
        labels = one["metadata"]["labels"]
        assert labels["release"] == "platform-gitlab"
        assert labels["app"] in ("migrations", "webservice", "sidekiq")
        if "spec" in one:
            assert one["spec"]["template"]["metadata"]["labels"] == labels


def test_pods_are_made_anew_where_the_databases_change() -> None:
    def digest(change: Callable[[Json], object] = dict) -> str:
        webservice = made(change, "Deployment")["platform-gitlab-webservice-default"]
        return str(webservice["spec"]["template"]["metadata"]["annotations"]["checksum/config"])

    assert digest(lambda given: given["global"]["psql"]["ci"].update(host="other")) != digest()
    assert digest(lambda given: given["gitlab"]["migrations"].update(annotations={})) == digest()
