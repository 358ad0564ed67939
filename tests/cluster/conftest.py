"""The cluster that the contract is held to: the sandbox's, or the one that `make test-cluster` names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster, some_name
from tests.contract.clients import loopback
from tests.waiting import eventually

GIVEN = "RECONVERGE_TEST_KUBECONFIG"
"""A variable of its own: no other test run may ever touch a real cluster."""


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if given := os.environ.get(GIVEN):
        yield Path(given)
        return
    with loopback.running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield Path(cloud.description["kubeconfig"])


@pytest.fixture(scope="session")
def cluster(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With a namespace of the session's own, which goes with all that is in it."""
    home = tmp_path_factory.mktemp("home")
    made = Cluster(kubeconfig=kubeconfig, namespace=some_name(), home=home)
    namespace = {"metadata": {"name": made.namespace}}
    assert made.send("POST", "/api/v1/namespaces", namespace).status == 201
    try:
        eventually(lambda: made.send("GET", made.path("serviceaccounts", "default")).status == 200)
        yield made
    finally:
        made.send("DELETE", f"/api/v1/namespaces/{made.namespace}")
