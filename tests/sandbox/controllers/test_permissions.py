"""What this repository's own manifests let the app do in the cluster: enough, and no more."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from sandbox.tokens import KUBERNETES_AUDIENCE
from tests.sandbox.clients import BOOTSTRAP, service_account_token
from tests.sandbox.controllers.platform import Platform
from tests.waiting import eventually

NAMESPACE = "ameide-dev"
GROUP = "external-secrets.io"

type Call = Callable[["App"], Any]


class App:
    """The official clients, as the app."""

    def __init__(self, platform: Platform) -> None:
        token = platform.world.token(platform.world.app, f"{KUBERNETES_AUDIENCE}/.default")
        self.core = platform.world.core_as(token)
        self.batch = client.BatchV1Api(self.core.api_client)
        self.custom = client.CustomObjectsApi(self.core.api_client)

    def newest_log(self) -> str:
        mine = "app.kubernetes.io/name=vault-bootstrap"
        pods = self.core.list_namespaced_pod(NAMESPACE, label_selector=mine).items
        return str(self.core.read_namespaced_pod_log(pods[-1].metadata.name, NAMESPACE, container="kubectl"))

    def mark(self, plural: str, name: str) -> Any:
        body = {"metadata": {"annotations": {"force-sync": "1"}}}
        return self.custom.patch_namespaced_custom_object(GROUP, "v1", NAMESPACE, plural, name, body)

    def start(self, namespace: str) -> Any:
        job: Any = {"metadata": {"generateName": "by-app-"}, "spec": {"template": {"spec": POD}}}
        return self.batch.create_namespaced_job(namespace, job)


POD = {"restartPolicy": "Never", "containers": [{"name": "one", "image": "docker.io/nobody/nothing:1"}]}

ALLOWED: dict[str, Call] = {
    "get its CronJob": lambda app: app.batch.read_namespaced_cron_job(BOOTSTRAP, NAMESPACE),
    "list Jobs": lambda app: app.batch.list_namespaced_job(NAMESPACE),
    "list pods": lambda app: app.core.list_namespaced_pod(NAMESPACE),
    "read a log": App.newest_log,
    "list Events": lambda app: app.core.list_namespaced_event(NAMESPACE),
    "list stores": lambda app: app.custom.list_namespaced_custom_object(
        GROUP, "v1", NAMESPACE, "secretstores"
    ),
    "list ExternalSecrets": lambda app: app.custom.list_namespaced_custom_object(
        GROUP, "v1", NAMESPACE, "externalsecrets"
    ),
    "refresh a store": lambda app: app.mark("secretstores", "ameide-vault"),
    "refresh an ExternalSecret": lambda app: app.mark("externalsecrets", "ghcr-pull-sync"),
    "start a Job": lambda app: app.start(NAMESPACE),
    "get a token of the bootstrap's account": lambda app: service_account_token(
        app.core, BOOTSTRAP, NAMESPACE
    ),
}
FORBIDDEN: dict[str, Call] = {
    "read a Secret": lambda app: app.core.read_namespaced_secret("vault-auto-credentials", NAMESPACE),
    "list Secrets": lambda app: app.core.list_namespaced_secret(NAMESPACE),
    "list namespaces": lambda app: app.core.list_namespace(),
    "start a Job elsewhere": lambda app: app.start("argocd"),
    "delete a Job": lambda app: app.batch.delete_collection_namespaced_job(NAMESPACE),
    "get a token of another account": lambda app: service_account_token(app.core, "default", NAMESPACE),
}


@pytest.mark.parametrize("call", ALLOWED.values(), ids=ALLOWED)
def test_the_app_may(healthy: Platform, call: Call) -> None:
    assert call(App(healthy)) is not None


@pytest.mark.parametrize("call", FORBIDDEN.values(), ids=FORBIDDEN)
def test_the_app_may_not(healthy: Platform, call: Call) -> None:
    with pytest.raises(ApiException) as refused:
        call(App(healthy))
    assert refused.value.status == 403


def test_kubectl_starts_the_bootstrap_and_shows_what_it_said(rebuilt: Platform, tmp_path: Path) -> None:
    """By the operator, with the schedule standing still, and no Job of it taken for a newer one."""
    rebuilt.cron_job()

    def kubectl(*arguments: str) -> str:
        program = str(Path(sys.executable).with_name("kubectl"))
        command = [program, "--namespace", NAMESPACE, *arguments]
        given = {"KUBECONFIG": rebuilt.world.described["kubeconfig"], "HOME": str(tmp_path)}
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)  # noqa: S603 (a test's)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def said(job: str) -> str:
        return kubectl("logs", f"job/{job}", "--container", "bootstrap")

    still = '{"spec": {"suspend": true, "failedJobsHistoryLimit": 9, "successfulJobsHistoryLimit": 9}}'
    kubectl("patch", "cronjob", BOOTSTRAP, "--patch", still)
    eventually(lambda: not rebuilt.cron_job().get("status", {}).get("active"), "no scheduled Job runs")
    kubectl("create", "job", "before", f"--from=cronjob/{BOOTSTRAP}")
    kubectl("wait", "--for=condition=Failed", "job/before", "--timeout=20s")
    assert "missing required Key Vault secret: ghcr-username" in said("before")
    rebuilt.trust()
    kubectl("create", "job", "after", f"--from=cronjob/{BOOTSTRAP}")
    kubectl("wait", "--for=condition=Complete", "job/after", "--timeout=20s")
    assert "vault-bootstrap: done" in said("after")
    eventually(rebuilt.succeeded, "the CronJob tells of it")
