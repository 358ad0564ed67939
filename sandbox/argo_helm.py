"""Helm, as Argo CD's repo-server calls it: a chart's values, and what its templates make of them.

    values.yaml of the chart  <-  the source's value files, one over the other

Mappings are merged, everything else is replaced, and a null takes away what the chart has by itself.
https://helm.sh/docs/chart_template_guide/values_files/
https://github.com/argoproj/argo-cd/blob/master/util/helm/cmd.go
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from sandbox.argo_git import HIDDEN
from sandbox.charts import ChartError, Release
from sandbox.charts.registry import CHARTS
from sandbox.kubernetes_objects import Object

KUBERNETES: Final = "1.36"
"""What Helm is told of the cluster's version."""
_ADVICE: Final = "\n\nUse --debug flag to render out invalid YAML"


class HelmError(Exception):
    """There are no manifests. The text is Argo CD's: the command, and what Helm printed."""


@dataclass(frozen=True, slots=True)
class Helm:
    """What an Application says of its release."""

    release: str
    namespace: str
    value_files: tuple[str, ...]
    """Paths from the chart's folder, or, with a slash before them, from the repository's root."""


def render(root: Path, folder: str, helm: Helm) -> tuple[Object, ...]:
    """The manifests of the chart in that folder of a working copy. Raises HelmError."""
    try:
        return _rendered(root, folder, helm)
    except _Refused as refused:
        raise HelmError(
            "failed to execute helm template command: failed to get command args to log: "
            f"`{_command(folder, helm)}` failed exit status 1: Error: {refused}"
        ) from None


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two files of values as one. Nulls stay, since there may be more below."""
    both = {
        name: merged(below[name], value)
        if isinstance(value, Mapping) and isinstance(below.get(name), Mapping)
        else value
        for name, value in above.items()
    }
    return {**below, **both}


class _Refused(Exception):
    """The text is Helm's own."""


def _rendered(root: Path, folder: str, helm: Helm) -> tuple[Object, ...]:
    """Raises _Refused."""
    chart = root / folder
    if not (chart / "Chart.yaml").is_file():
        raise _Refused("Chart.yaml file is missing")
    described = _read(root, chart / "Chart.yaml")
    given: dict[str, Any] = {}
    for name in helm.value_files:
        given = merged(given, _read(root, _resolved(root, chart, name)))
    own = _read(root, chart / "values.yaml") if (chart / "values.yaml").exists() else {}
    release = Release(
        name=helm.release,
        namespace=helm.namespace,
        chart=described["name"],
        chart_version=str(described["version"]),
        app_version=str(described.get("appVersion", "")),
    )
    if release.chart not in CHARTS:
        raise _Refused(f"the templates of chart {release.chart} are not among those of this sandbox")
    try:
        return tuple(CHARTS[release.chart](release, _without_nulls(merged(own, given))))
    except ChartError as error:
        raise _Refused(f"{error}{_ADVICE}") from None


def _resolved(root: Path, chart: Path, name: str) -> Path:
    """Raises _Refused."""
    path = ((root / name.lstrip("/")) if name.startswith("/") else chart / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise _Refused(f"value file '{name}' resolved to outside repository root")
    return path


def _read(root: Path, path: Path) -> dict[str, Any]:
    """Raises _Refused."""
    shown = f"{HIDDEN}/{path.resolve().relative_to(root.resolve())}"
    try:
        found = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _Refused(f"open {shown}: no such file or directory") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _Refused(
            f"failed to parse {shown}: error converting YAML to JSON: yaml: line {line}: {error.problem}"
        ) from None
    if not isinstance(found or {}, dict):
        raise _Refused(f"failed to parse {shown}: error unmarshaling JSON: it is no mapping")
    return found or {}


def _without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }


def _command(folder: str, helm: Helm) -> str:
    """As Argo CD tells it: without the APIs that it lists, which would be hundreds."""
    files = "".join(f"--values {_shown(folder, name)} " for name in helm.value_files)
    return (
        f"helm template . --name-template {helm.release} --namespace {helm.namespace} "
        f"--kube-version {KUBERNETES} {files}<api versions removed> --include-crds"
    )


def _shown(folder: str, name: str) -> str:
    return f"{HIDDEN}/{name.lstrip('/')}" if name.startswith("/") else f"{HIDDEN}/{folder}/{name}"
