"""What a cluster answers to whoever asks what he may: the questions on the wire, and real answers."""

from typing import Any

import pytest

from shared.clients.access_reviews import Access, AccessReviews, Allowed, ResourceRule
from shared.clients.credentials import AppCredential
from shared.clients.managed_clusters import ApiServer, ManagedClusters
from shared.model import Known, Read, Unknown
from shared.settings import Settings
from tests.contract.clients.api_server import Answers, Credential, status
from tests.contract.clients.loopback import Cloud

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
LOG = Access(namespace="dev", verb="get", group="", resource="pods/log")


@pytest.fixture
def reviews() -> AccessReviews:
    return AccessReviews(Credential())


def reviewed(server: Answers, reviews: AccessReviews, **answer: Any) -> Read[bool]:
    server.on("POST", REVIEW, {"status": answer}, 201)
    return reviews.may(server.at, LOG)


def test_a_subresource_is_asked_for_in_a_part_of_its_own(server: Answers, reviews: AccessReviews) -> None:
    assert reviewed(server, reviews, allowed=True) == Known(value=True)
    (asked,) = server.asked
    assert asked.body == {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "namespace": "dev",
                "verb": "get",
                "group": "",
                "resource": "pods",
                "subresource": "log",
            }
        },
    }


def test_what_no_authorizer_allows_is_not_allowed(server: Answers, reviews: AccessReviews) -> None:
    assert reviewed(server, reviews, allowed=False, reason="") == Known(value=False)


def test_an_authorizer_that_failed_leaves_it_open(server: Answers, reviews: AccessReviews) -> None:
    found = reviewed(server, reviews, allowed=False, evaluationError="webhook: timeout of a secret host")
    assert found == Unknown("the API server's authorizers did not all answer")


@pytest.mark.parametrize("body", [{}, {"status": {}}, {"status": {"allowed": "yes"}}, [], "no JSON"], ids=str)
def test_an_answer_of_another_shape_proves_nothing(
    server: Answers, reviews: AccessReviews, body: Any
) -> None:
    server.on("POST", REVIEW, body, 201)
    assert isinstance(reviews.may(server.at, LOG), Unknown)


@pytest.mark.parametrize("code", [401, 403, 404, 500])
def test_a_refusal_is_unknown(server: Answers, reviews: AccessReviews, code: int) -> None:
    for path in (REVIEW, RULES):
        server.on("POST", path, status(code, "Refused"), code)
    assert isinstance(reviews.may(server.at, LOG), Unknown)
    assert isinstance(reviews.allowed(server.at, "dev"), Unknown)


def test_rules_come_as_they_are_written(server: Answers, reviews: AccessReviews) -> None:
    rules = [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "pods/log"]},
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["one"]},
    ]
    server.on("POST", RULES, {"status": {"resourceRules": rules, "incomplete": False}}, 201)
    assert reviews.allowed(server.at, "dev") == Known(
        Allowed(
            (
                ResourceRule(verbs=("get",), groups=("",), resources=("pods", "pods/log")),
                ResourceRule(verbs=("*",), groups=("*",), resources=("*",), names=("one",)),
            ),
            complete=True,
        )
    )
    assert server.asked[0].body["spec"] == {"namespace": "dev"}


def test_rules_that_an_authorizer_cannot_list_are_not_all(server: Answers, reviews: AccessReviews) -> None:
    server.on("POST", RULES, {"status": {"resourceRules": None, "incomplete": True}}, 201)
    assert reviews.allowed(server.at, "dev") == Known(Allowed((), complete=False))


@pytest.mark.parametrize("body", [{}, {"status": {}}, {"status": {"resourceRules": [1]}}], ids=str)
def test_rules_of_another_shape_prove_nothing(server: Answers, reviews: AccessReviews, body: Any) -> None:
    server.on("POST", RULES, body, 201)
    assert isinstance(reviews.allowed(server.at, "dev"), Unknown)


# -- the sandbox's cluster --------------------------------------------------------------------------


@pytest.fixture
def cluster(cloud: Cloud, settings: Settings, credential: AppCredential) -> ApiServer:
    found = ManagedClusters(settings, credential).api_server(cloud.cluster_id)
    assert isinstance(found, Known)
    return found.value


@pytest.mark.parametrize(
    ("name", "may"), [("postgres-ameide", True), ("default", False)], ids=["declared", "another"]
)
def test_a_cluster_tells_which_service_accounts_tokens_we_may_ask_for(
    cluster: ApiServer, credential: AppCredential, name: str, *, may: bool
) -> None:
    access = Access(
        namespace="ameide-dev", verb="create", group="", resource="serviceaccounts/token", name=name
    )
    assert AccessReviews(credential).may(cluster, access) == Known(may)


def test_a_cluster_lists_the_one_role_that_we_have_there(
    cluster: ApiServer, credential: AppCredential
) -> None:
    found = AccessReviews(credential).allowed(cluster, "ameide-dev")
    assert isinstance(found, Known)
    assert [one.verbs for one in found.value.rules if "serviceaccounts/token" in one.resources] == [
        ("create",)
    ]
    assert found.value.complete
