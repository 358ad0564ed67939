"""What the platform's repository has of GitLab: its chart, and the values of each environment."""

from typing import Final

CHART_VERSION: Final = "9.8.2"
APP_VERSION: Final = "18.8.2"
RELEASE: Final = "platform-gitlab"
CHART: Final = "sources/charts/platform/gitlab"
PROVIDER: Final = "gitlab-oidc-provider"

_CHART: Final = f"""\
apiVersion: v2
name: gitlab
description: GitLab, as a wrapper over its own chart.
version: {CHART_VERSION}
appVersion: {APP_VERSION}
"""
_VALUES: Final = """\
# What every environment has. Upstream's own values stand beneath `gitlab`.
gitlab:
  global:
    edition: ce
    job:
      nameSuffixOverride: null
    psql:
      username: gitlab
      password:
        secret: gitlab-db-credentials
        key: password
      main:
        enabled: true
        database: gitlabhq_production
        host: postgres-ameide-rw
        port: 5432
      # An environment with one database for everything maps this one to main's: the tables of CI are in
      # there, and only main may change them.
      ci:
        enabled: true
        database: gitlabhq_production_ci
        databaseTasks: false
    appConfig:
      omniauth:
        enabled: true
        providers:
          - secret: gitlab-oidc-provider
            key: provider
  gitlab:
    migrations:
      annotations: {}
      activeDeadlineSeconds: 3600
      backoffLimit: 6
    webservice:
      minReplicas: 1
      monitoring:
        # The cluster's own probes. Everybody else is told that there is no such page.
        ipWhitelist:
          - 10.0.0.0/8
    sidekiq:
      minReplicas: 1
"""
_ENVIRONMENT: Final = """\
# GitLab in {environment}.
gitlab:
  global:
    hosts:
      domain: {domain}
    psql:
      # One database: CI's tables live in main's.
      ci:
        database: gitlabhq_production
        host: postgres-ameide-rw
        port: 5432
  gitlab:
    migrations:
      annotations:
        rerun: "1"
"""


def values_file(folder: str) -> str:
    """Path of an environment's own values. folder: the environment's, such as `production`"""
    return f"sources/values/env/{folder}/platform/{RELEASE}.yaml"


def files(environment: str, folder: str) -> dict[str, str]:
    """By path."""
    domain = "ameide.io" if environment == "prod" else f"{environment}.ameide.io"
    text = _ENVIRONMENT.format(environment=environment, domain=domain)
    return {
        f"{CHART}/Chart.yaml": _CHART,
        f"{CHART}/values.yaml": _VALUES,
        values_file(folder): text,
    }
