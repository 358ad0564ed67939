"""The questions that a cluster answers: whose token is this, may somebody do that, what may I do.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/
https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/
"""

from typing import Any

from sandbox.kubernetes_errors import bad_request
from sandbox.kubernetes_rbac import Attributes, Authorizer
from sandbox.kubernetes_resources import (
    ACCESS_REVIEWS,
    SELF_ACCESS_REVIEWS,
    SELF_RULES_REVIEWS,
    SELF_SUBJECT_REVIEWS,
    TOKEN_REVIEWS,
    Resource,
)
from sandbox.kubernetes_tokens import TokenRefused
from sandbox.kubernetes_users import Authenticator, User

type Json = dict[str, Any]


class Reviews:
    def __init__(self, authenticator: Authenticator, authorizer: Authorizer, own: tuple[str, ...]) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._own = own
        """The API server's own audiences."""
        self._answers = {
            TOKEN_REVIEWS: self._whose_token,
            SELF_SUBJECT_REVIEWS: self._who_am_i,
            ACCESS_REVIEWS: self._may_somebody,
            SELF_ACCESS_REVIEWS: self._may_i,
            SELF_RULES_REVIEWS: self._what_may_i,
        }

    def answer(self, resource: Resource, user: User, review: Json) -> Json:
        """The review with its status. Raises StatusError (400)."""
        spec = review.get("spec") or {}
        return {
            "kind": resource.kind,
            "apiVersion": resource.api_version,
            "metadata": {"creationTimestamp": None},
            **({"spec": spec} if spec else {}),
            "status": self._answers[resource](user, spec),
        }

    def _whose_token(self, _: User, spec: Json) -> Json:
        """A token that is refused is an answer too, with what is wrong with it."""
        if not spec.get("token"):
            raise bad_request("token is required for TokenReview in authentication")
        try:
            user, audiences = self._authenticator.review(
                spec["token"], tuple(spec.get("audiences") or self._own)
            )
        except TokenRefused as refused:
            return {"authenticated": False, "user": {}, "error": str(refused)}
        return {"authenticated": True, "user": user.info(), "audiences": list(audiences)}

    def _who_am_i(self, user: User, _: Json) -> Json:
        return {"userInfo": user.info()}

    def _may_i(self, user: User, spec: Json) -> Json:
        return self._verdict(user, spec)

    def _may_somebody(self, _: User, spec: Json) -> Json:
        somebody = User(
            name=spec.get("user", ""), uid=spec.get("uid", ""), groups=tuple(spec.get("groups") or ())
        )
        return self._verdict(somebody, spec)

    def _verdict(self, user: User, spec: Json) -> Json:
        reason = self._authorizer.reason(user, _attributes(spec))
        return {"allowed": reason is not None, **({"reason": reason} if reason else {})}

    def _what_may_i(self, user: User, spec: Json) -> Json:
        if not spec.get("namespace"):
            raise bad_request("no namespace on request")
        rules = self._authorizer.rules(user, spec["namespace"])
        return {
            "resourceRules": [rule for rule in rules if rule.get("resources")],
            "nonResourceRules": [
                {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
                for rule in rules
                if rule.get("nonResourceURLs")
            ],
            "incomplete": False,
        }


def _attributes(spec: Json) -> Attributes:
    match spec:
        case {"resourceAttributes": {**asked}}:
            names = ("verb", "group", "resource", "subresource", "namespace", "name")
            return Attributes(**{name: str(asked.get(name) or "") for name in names})
        case {"nonResourceAttributes": {**asked}}:
            return Attributes(verb=str(asked.get("verb") or ""), path=str(asked.get("path") or "/"))
    raise bad_request(
        "exactly one of nonResourceAttributes or resourceAttributes must be specified in the review's spec"
    )
