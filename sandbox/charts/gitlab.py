"""GitLab's chart, as far as migrations and what waits for them go: a wrapper over the upstream one, so that
upstream's values stand beneath `gitlab`, and those of its subcharts one `gitlab` deeper.

https://docs.gitlab.com/charts/
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.charts import ChartError, Release, Values
from sandbox.charts.suffix import suffix
from sandbox.kubernetes_objects import Object

REGISTRY: Final = "registry.gitlab.com/gitlab-org/build/cng"
TOOLBOX: Final = "gitlab-toolbox-ce"
WEBSERVICE: Final = "gitlab-webservice-ce"
SIDEKIQ: Final = "gitlab-sidekiq-ce"
MIGRATE: Final = "/scripts/db-migrate"
BACKGROUND: Final = "/scripts/wait-for-bbm"
DEPENDENCIES: Final = "/scripts/wait-for-deps"
"""What containers are told to run, as their first argument."""
PASSWORD: Final = "GITLAB_DATABASE_PASSWORD"  # noqa: S105 (the name of a variable)
VALIDATE: Final = "GITLAB_VALIDATE_DATABASE_CONFIG"
ALLOWED: Final = "GITLAB_MONITORING_IP_WHITELIST"
PROVIDER: Final = "GITLAB_OMNIAUTH_PROVIDER"
CONFIG: Final = "database.yml.erb"
CONFIG_FOLDER: Final = "/var/opt/gitlab/templates"

_DATABASES: Final = ("main", "ci")
_ERB: Final = f'<%= ENV.fetch("{PASSWORD}").to_json %>'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chart:
    """The release, and its values by subchart."""

    release: Release
    shared: Values
    """`global`."""
    subcharts: Values

    def values(self, subchart: str) -> dict[str, Any]:
        """As the subchart sees them."""
        return {**(self.subcharts.get(subchart) or {}), "global": self.shared}

    def labels(self, app: str, **more: str) -> dict[str, str]:
        return {
            "app": app,
            "chart": f"{app}-{self.release.chart_version}",
            "release": self.release.name,
            "heritage": "Helm",
            **more,
        }

    def image(self, name: str, values: Values) -> str:
        given = values.get("image") or {}
        return f"{REGISTRY}/{name}:{given.get('tag', f'v{self.release.app_version}')}"


def templates(release: Release, values: Values) -> Iterator[Object]:
    """The manifests of a release. Raises ChartError."""
    umbrella = values.get("gitlab") or {}
    chart = _Chart(
        release=release, shared=umbrella.get("global") or {}, subcharts=umbrella.get("gitlab") or {}
    )
    config = database_config(chart.shared)
    for app in ("migrations", "webservice", "sidekiq"):
        yield _config_map(chart, app, config)
    yield _migrations(chart)
    yield _background_migrations(chart)
    yield _webservice(chart, config)
    yield _sidekiq(chart, config)


def database_config(shared: Values) -> str:
    """What Rails is told of its databases. What `ci` does not say of itself, it has from `main`.

    Raises ChartError.
    """
    psql = shared.get("psql") or {}
    main = {**psql, **(psql.get("main") or {})}
    lines = ["production:"]
    for name in _DATABASES:
        given = psql.get(name)
        if given is None and name != "main":
            continue
        settings = {**main, "databaseTasks": None, **(given or {})}
        if settings.get("enabled", True) not in (False, "false"):
            lines += _configuration(name, settings, main)
    return "\n".join(lines) + "\n"


def _configuration(name: str, settings: Values, main: Values) -> Iterator[str]:
    """Raises ChartError."""
    place = {key: str(_required(settings, key)) for key in ("database", "host", "port")}
    tasks = settings.get("databaseTasks")
    if tasks is None:
        # By the very texts: another spelling of the same host counts as another host.
        shares = name != "main" and all(str(main.get(key, "")) == text for key, text in place.items())
        tasks = not shares
    yield f"  {name}:"
    yield "    adapter: postgresql"
    yield "    encoding: unicode"
    yield f"    database: {json.dumps(place['database'])}"
    yield f"    username: {json.dumps(str(_required(settings, 'username')))}"
    yield f"    password: {_ERB}"
    yield f"    host: {json.dumps(place['host'])}"
    yield f"    port: {place['port']}"
    yield f"    database_tasks: {str(tasks).lower()}"


def _required(settings: Values, key: str) -> Any:
    """Raises ChartError."""
    value = settings.get(key)
    if value in (None, "", {}):
        raise ChartError(
            "execution error at (gitlab/charts/gitlab/charts/gitlab/charts/migrations/templates/"
            f"configmap.yaml:14:3): Missing required value. Make sure to set `global.psql.{key}`"
        )
    return value


# -- manifests ------------------------------------------------------------------------------


def _config_map(chart: _Chart, app: str, config: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{chart.release.name}-{app}", "labels": chart.labels(app)},
        "data": {CONFIG: config},
    }


def _migrations(chart: _Chart) -> Object:
    values = chart.values("migrations")
    return _job(
        chart,
        f"{chart.release.name}-migrations-{suffix(chart.release, values)}",
        chart.labels("migrations"),
        {
            "name": "migrations",
            "image": chart.image(TOOLBOX, values),
            "args": [MIGRATE],
            "env": [_password(chart), *_plain(values.get("extraEnv"))],
        },
    )


def _background_migrations(chart: _Chart) -> Object:
    """Waits until the schema is there, and for what the migrations have left to do in the background."""
    values = chart.values("migrations")
    return _job(
        chart,
        f"{chart.release.name}-migrations-bbm-{suffix(chart.release, values)}",
        chart.labels("migrations", **{"app.kubernetes.io/component": "bbm"}),
        {
            "name": "migrations-bbm",
            # Another tag is for the migrations themselves: this one only looks.
            "image": chart.image(TOOLBOX, {}),
            "args": [BACKGROUND],
            "env": [_password(chart)],
        },
    )


def _job(chart: _Chart, name: str, labels: Mapping[str, str], container: Object) -> Object:
    values = chart.values("migrations")
    annotations = {key: str(value) for key, value in (values.get("annotations") or {}).items()}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "activeDeadlineSeconds": int(values.get("activeDeadlineSeconds", 3600)),
            "backoffLimit": int(values.get("backoffLimit", 6)),
            "template": {
                "metadata": {"labels": dict(labels), "annotations": annotations},
                "spec": {
                    "restartPolicy": "OnFailure",
                    "containers": [{**container, "volumeMounts": _MOUNTS}],
                    "volumes": _volumes(chart, "migrations"),
                },
            },
        },
    }


def _webservice(chart: _Chart, config: str) -> Object:
    values = chart.values("webservice")
    allowed = ",".join((values.get("monitoring") or {}).get("ipWhitelist") or ())
    return _deployment(
        chart,
        "webservice",
        "webservice-default",
        chart.image(WEBSERVICE, values),
        config,
        env=[{"name": ALLOWED, "value": allowed}],
        replicas=int(values.get("minReplicas", 1)),
    )


def _sidekiq(chart: _Chart, config: str) -> Object:
    values = chart.values("sidekiq")
    return _deployment(
        chart,
        "sidekiq",
        "sidekiq-all-in-1-v2",
        chart.image(SIDEKIQ, values),
        config,
        env=[],
        replicas=int(values.get("minReplicas", 1)),
    )


def _deployment(
    chart: _Chart, app: str, name: str, image: str, config: str, *, env: list[Object], replicas: int
) -> Object:
    """Its pods are made anew when the configuration changes, and begin with a look at the database."""
    labels = chart.labels(app)
    variables = [_password(chart), *_provider(chart), *env]
    digest = hashlib.sha256(config.encode()).hexdigest()
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{chart.release.name}-{name}", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app, "release": chart.release.name}},
            "template": {
                "metadata": {"labels": labels, "annotations": {"checksum/config": digest}},
                "spec": {
                    "initContainers": [
                        {
                            "name": "dependencies",
                            "image": image,
                            "args": [DEPENDENCIES],
                            "env": [_password(chart)],
                            "volumeMounts": _MOUNTS,
                        }
                    ],
                    "containers": [{"name": app, "image": image, "env": variables, "volumeMounts": _MOUNTS}],
                    "volumes": _volumes(chart, app),
                },
            },
        },
    }


# -- parts of pods --------------------------------------------------------------------------

_MOUNTS: Final = [{"name": "config", "mountPath": CONFIG_FOLDER}]


def _volumes(chart: _Chart, app: str) -> list[Object]:
    return [{"name": "config", "configMap": {"name": f"{chart.release.name}-{app}"}}]


def _password(chart: _Chart) -> Object:
    """Raises ChartError."""
    given = _required(chart.shared.get("psql") or {}, "password")
    return _from_secret(PASSWORD, str(_required(given, "secret")), str(given.get("key", "password")))


def _provider(chart: _Chart) -> Iterator[Object]:
    """How people sign in elsewhere, from the first Secret that is named for it."""
    sign_in = (chart.shared.get("appConfig") or {}).get("omniauth") or {}
    for one in (sign_in.get("providers") or [])[:1]:
        yield _from_secret(PROVIDER, one["secret"], one.get("key", "provider"))


def _from_secret(name: str, secret: str, key: str) -> Object:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _plain(given: Values | None) -> Iterator[Object]:
    for name, value in (given or {}).items():
        yield {"name": name, "value": str(value)}
