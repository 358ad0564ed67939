"""Writes docs/reasons.md from the reasons that responders declare: `.venv/bin/python -m cli.reference`.

The page is committed, and tests/unit/test_docs.py holds it to what `reasons_page` answers.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from responders import REGISTRY, load
from responders.federated_credentials.reasons import Reason
from shared.world import Leads, ReasonInfo

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reasons.md"

INTRODUCTION: Final = """\
# Reasons

<!-- Written by `.venv/bin/python -m cli.reference` from the responders' reasons.py: edit those instead. -->

Every finding has one of these codes: in the output of `reconverge run`, in the journal, in notices and in the
answers of the app. A code never changes its meaning. A run with several findings takes the gravest
[outcome](outcomes.md).

A finding on a cluster keeps Reconverge from judging the credentials that trust this cluster, a finding on an
identity from judging what it holds. Everything else is judged and repaired all the same. One write mends all
findings on a credential.
"""

SEEN_ELSEWHERE: Final = """\
## From an error to a reason

What Azure, Entra and Kubernetes say when the same thing is wrong. Entra's codes stand in the log of the
workload that could not get a token.

| error | look at |
|---|---|
"""

DOES: Final[Mapping[Leads, str]] = {
    Leads.REPAIR: (
        "plans a step. The contract decides whether it is carried out, waits for approval or is proposed."
    ),
    Leads.WAIT: "writes nothing for it and looks again by itself; the outcome is `pending`.",
    Leads.PERSON: "writes nothing for it; the outcome is `human`, since only people can mend it.",
    Leads.NOTE: "reports it. It changes no outcome and is never acted on.",
    Leads.UNREAD: "writes nothing that rests on it and looks again by itself; the outcome is `failed`.",
}

# Entra's codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
# Limits and refusals of federated credentials:
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    Reason.UNREAD: ("AuthorizationFailed", "SubscriptionNotFound", "TooManyRequests"),
    Reason.CLUSTER_DELETED: (
        "ResourceNotFound",
        "AADSTS50166",
        "AADSTS501661",
        "AADSTS90061",
        "Request to External OIDC endpoint failed",
    ),
    Reason.CLUSTER_FAILED: ("provisioningState Failed", "provisioningState Canceled"),
    Reason.IDENTITY_MISSING: (
        "ResourceNotFound",
        "AADSTS700016",
        "Application with identifier … was not found in the directory",
        "The parent user-assigned identity doesn't exist",
    ),
    Reason.IDENTITY_OUTSIDE_SUBSCRIPTION: ("AADSTS700211",),
    Reason.CREDENTIAL_MISSING: (
        "AADSTS70021",
        "AADSTS700211",
        "AADSTS700213",
        "No matching federated identity record found for presented assertion",
    ),
    Reason.SUBJECT_DIFFERS: (
        "AADSTS700213",
        "AADSTS7002138",
        "No matching federated identity record found for presented assertion subject",
    ),
    Reason.ISSUER_STALE: (
        "AADSTS700211",
        "No matching federated identity record found for presented assertion issuer",
    ),
    Reason.AUDIENCE_DIFFERS: (
        "AADSTS700212",
        "No matching federated identity record found for presented assertion audience",
    ),
    Reason.PAIR_HELD_ELSEWHERE: ("Issuer and subject combination already exists for this Managed Identity",),
    Reason.CREDENTIAL_MANAGED_BY_AKS: ("api://AKSIdentityBinding", "https://ib.oic"),
    Reason.CREDENTIAL_FLEXIBLE: ("claimsMatchingExpression",),
    Reason.PROPAGATING: ("AADSTS70021", "AADSTS700211", "AADSTS700213"),
    Reason.REFUSED_AFTER_GRACE: (
        "AADSTS700211",
        "AADSTS700213",
        "AADSTS700016",
        "AADSTS700024",
        "AADSTS50013",
    ),
    Reason.UNPROVEN: ("serviceaccounts/token", "AADSTS50166", "AADSTS501661", "AADSTS90061"),
}
"""What other systems say of the same fault, for whoever searches. The start of a text is enough."""


def main() -> int:
    PAGE.write_text(reasons_page(), encoding="utf-8")
    return 0


def reasons_page() -> str:
    """Markdown: an index by foreign error, then a section for each reason, responder by responder."""
    return "\n".join([INTRODUCTION, SEEN_ELSEWHERE + "\n".join(_index()) + "\n", *_sections()])


def _index() -> Iterator[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for reason, texts in TEXTS.items():
        for text in texts:
            found[text].append(_link(reason))
    for text in sorted(found, key=str.lower):
        yield f"| `{text}` | {', '.join(found[text])} |"


def _sections() -> Iterator[str]:
    for responder in REGISTRY:
        yield f"## Responder `{responder}`\n"
        for code, info in load(responder).reasons.items():
            yield _section(code, info)


def _section(code: str, info: ReasonInfo) -> str:
    lines = [
        f"### {code}",
        "",
        info.means,
        "",
        f"- **Severity**: {info.severity.value}",
        f"- **Reconverge** {DOES[info.leads]}",
        f"- **Remedy**: {info.remedy}",
    ]
    if texts := TEXTS.get(code):
        lines.append(f"- **Elsewhere**: {', '.join(f'`{text}`' for text in texts)}")
    return "\n".join(lines) + "\n"


def _link(code: str) -> str:
    return f"[{code}](#{code.lower()})"


if __name__ == "__main__":
    sys.exit(main())
