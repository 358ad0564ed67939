"""What kubectl shows of GitLab."""

import json
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.sandbox.gitlab.site import Site


def test_kubectl_shows_deployments_pods_and_logs(well: Site, tmp_path: Path) -> None:
    told = well.platform.world.described
    cluster = Cluster(kubeconfig=Path(told["kubeconfig"]), namespace="ameide-dev", home=tmp_path)
    found = cluster.kubectl("get", "deploy,pods,jobs", "-l", "release=platform-gitlab", "-o", "name").split()
    kinds = [one.partition("/")[0] for one in found]
    assert kinds == ["deployment.apps"] * 2 + ["pod"] * 4 + ["job.batch"] * 2
    webservice = "deployment/platform-gitlab-webservice-default"
    assert "successfully rolled out" in cluster.kubectl("rollout", "status", webservice, "--timeout=20s")
    assert "condition met" in cluster.kubectl(
        "wait", webservice, "--for=condition=Available", "--timeout=20s"
    )
    assert "NewReplicaSetAvailable" in cluster.kubectl("describe", webservice)
    pods = json.loads(cluster.kubectl("get", "pods", "-l", "app=webservice", "-o", "json"))["items"]
    name = pods[0]["metadata"]["name"]
    described = cluster.kubectl("describe", "pod", name)
    assert "set to the key 'password' in secret 'gitlab-db-credentials'" in described
    assert "up to date" in cluster.kubectl("logs", name, "-c", "dependencies")
    (job,) = well.jobs()
    assert "Migrations complete" in cluster.kubectl("logs", f"job/{job['metadata']['name']}")
