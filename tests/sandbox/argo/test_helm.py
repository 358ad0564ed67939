"""A chart and files of values, as Argo CD's repo-server has Helm render them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import argo_helm
from sandbox.argo_helm import Helm, HelmError, render
from sandbox.argo_operations import source_of
from sandbox.charts import ChartError, Release, Values
from sandbox.kubernetes_objects import Object

CHART = "sources/charts/platform/web"
VALUES = "/sources/values/env/dev/platform/platform-web.yaml"
COMMAND = (
    "failed to execute helm template command: failed to get command args to log: "
    "`helm template . --name-template web --namespace ameide-dev --kube-version 1.36 "
    "--values <path to cached source>{file} <api versions removed> --include-crds` failed exit status 1: "
)


def templates(release: Release, values: Values) -> Iterator[Object]:
    """They show what they are told, and refuse a port of 0."""
    if values.get("port") == 0:
        raise ChartError("execution error at (web/templates/web.yaml:1:4): port: give one")
    told = {"chart": release.chart, "version": release.chart_version, "app": release.app_version}
    metadata = {"name": release.name, "namespace": release.namespace}
    yield {"apiVersion": "v1", "kind": "Show", "metadata": metadata, "told": told, "values": dict(values)}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working copy with that chart."""
    monkeypatch.setattr(argo_helm, "CHARTS", {"web": templates})
    write(tmp_path, f"{CHART}/Chart.yaml", "name: web\nversion: 1.2.3\nappVersion: '4.5'\n")
    write(tmp_path, f"{CHART}/values.yaml", "port: 80\nhook: {kind: PostSync, wave: '1'}\nhosts: [a, b]\n")
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def helm(*files: str) -> Helm:
    return Helm("web", "ameide-dev", files)


def test_templates_are_told_of_the_release_and_the_charts_own_values(root: Path) -> None:
    (shown,) = render(root, CHART, helm())
    assert shown["metadata"] == {"name": "web", "namespace": "ameide-dev"}
    assert shown["told"] == {"chart": "web", "version": "1.2.3", "app": "4.5"}
    assert shown["values"] == {"port": 80, "hook": {"kind": "PostSync", "wave": "1"}, "hosts": ["a", "b"]}


MERGED = {
    "a mapping is merged key by key": (
        "hook: {kind: Sync}",
        {"port": 80, "hook": {"kind": "Sync", "wave": "1"}, "hosts": ["a", "b"]},
    ),
    "a list is replaced": (
        "hosts: [c]",
        {"port": 80, "hook": {"kind": "PostSync", "wave": "1"}, "hosts": ["c"]},
    ),
    "a null takes away": (
        "hook: {wave: null}\nhosts:",
        {"port": 80, "hook": {"kind": "PostSync"}},
    ),
    "an empty file changes nothing": (
        "# nothing\n",
        {"port": 80, "hook": {"kind": "PostSync", "wave": "1"}, "hosts": ["a", "b"]},
    ),
}


@pytest.mark.parametrize(("text", "values"), MERGED.values(), ids=MERGED)
def test_a_file_of_values_goes_over_the_charts_own(root: Path, text: str, values: Object) -> None:
    write(root, VALUES[1:], text)
    (shown,) = render(root, CHART, helm(VALUES))
    assert shown["values"] == values


def test_the_last_file_wins_and_its_null_reaches_below_the_first(root: Path) -> None:
    write(root, f"{CHART}/first.yaml", "port: 81\nhook: {wave: '2'}\n")
    write(root, VALUES[1:], "port: 82\nhook: {wave: null}\n")
    (shown,) = render(root, CHART, helm("first.yaml", VALUES))
    assert (shown["values"]["port"], shown["values"]["hook"]) == (82, {"kind": "PostSync"})


REFUSED = {
    "a file of values that is not there": (
        {},
        f"Error: open <path to cached source>{VALUES}: no such file or directory",
    ),
    "values that the templates refuse": (
        {VALUES: "port: 0"},
        (
            "Error: execution error at (web/templates/web.yaml:1:4): port: give one"
            "\n\nUse --debug flag to render out invalid YAML"
        ),
    ),
    "a file of values that is no YAML": (
        {VALUES: "port: 1\n  hook: {"},
        (
            f"Error: failed to parse <path to cached source>{VALUES}: error converting YAML to JSON: "
            "yaml: line 2: mapping values are not allowed here"
        ),
    ),
    "a chart that says nothing of itself": (
        {f"/{CHART}/Chart.yaml": None},
        "Error: Chart.yaml file is missing",
    ),
}


@pytest.mark.parametrize(("files", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_rendered_is_told_as_argo_cd_tells_it(
    root: Path, files: dict[str, str | None], said: str
) -> None:
    for path, text in files.items():
        if text is None:
            (root / path[1:]).unlink()
        else:
            write(root, path[1:], text)
    with pytest.raises(HelmError) as refused:
        render(root, CHART, helm(VALUES))
    assert str(refused.value) == COMMAND.format(file=VALUES) + said


def test_a_file_outside_the_repository_is_not_read(root: Path) -> None:
    with pytest.raises(HelmError, match="resolved to outside repository root"):
        render(root, CHART, helm("../../../../../etc/passwd"))


def test_an_application_says_which_release_and_which_files() -> None:
    source: Object = {"repoURL": "https://github.com/o/r.git", "targetRevision": "main", "path": CHART}
    application = {
        "metadata": {"name": "dev-platform-web"},
        "spec": {"source": source, "destination": {"namespace": "ameide-dev"}},
    }
    assert source_of(application).helm is None
    source["helm"] = {"valueFiles": [VALUES]}
    assert source_of(application).helm == Helm("dev-platform-web", "ameide-dev", (VALUES,))
    source["helm"]["releaseName"] = "web"
    assert source_of(application).helm == helm(VALUES)
