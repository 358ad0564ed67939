"""The templates of every chart that the platform's repository has, by the name in its Chart.yaml."""

from collections.abc import Mapping
from typing import Final

from sandbox.charts import Template, gitlab

CHARTS: Final[Mapping[str, Template]] = {
    "gitlab": gitlab.templates,
}
