"""The templates of every chart that the platform's repository has, by the name in its Chart.yaml."""

from collections.abc import Mapping
from typing import Final

from sandbox.charts import Template, gitlab, keycloak_realm

CHARTS: Final[Mapping[str, Template]] = {
    "keycloak-realm": keycloak_realm.render,
    "gitlab": gitlab.templates,
}
