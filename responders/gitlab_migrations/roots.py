"""What may explain a symptom: whole targets of the environment, since nobody can name the part of them. Pure.

The migrations need a database, its credentials and an image. Keycloak brings none of these: a finding there
explains only what GitLab's own pods lack, and what a page of theirs then answers.
"""

from collections.abc import Mapping
from typing import Final

from responders.gitlab_migrations.facts import WORKLOADS, Facts
from responders.gitlab_migrations.reasons import REASONS, Reason
from responders.gitlab_migrations.repairs import SECRET_WAITS, needed, waits_for
from shared.failure_texts import TABLE
from shared.model import Finding

KEYCLOAK: Final = "keycloak_bootstrap"
_OF_A_REPAIR: Final = frozenset({Reason.MIGRATIONS_STILL_FAIL, Reason.MIGRATIONS_SUFFIX_UNDECLARED})
"""What keeps another run from being proposed: a symptom only where the failure itself is one."""
_LOOKED_AFTER_BY: Final[Mapping[str, str | None]] = {row.code: row.responder for row in TABLE}


def rests_on(facts: Facts, symptom: Finding) -> frozenset[str]:
    """In lower case."""
    repair = needed(facts) if symptom.reason in _OF_A_REPAIR else None
    if repair is not None and not REASONS[repair.mends].symptom:
        return frozenset()
    explain = facts.watched if _keycloak_explains(facts, symptom) else facts.watched - {KEYCLOAK}
    return frozenset(f"{facts.environment}/{name}".lower() for name in explain)


def _keycloak_explains(facts: Facts, symptom: Finding) -> bool:
    app = next((one for one in WORKLOADS if facts.workload_id(one) == symptom.subject), "")
    match symptom.reason:
        case Reason.GITLAB_NOT_DEPLOYED | Reason.GITLAB_NOT_READY:
            return True
        case Reason.GITLAB_SECRET_MISSING | Reason.GITLAB_DOES_NOT_START:
            return any(waits_for(pod, SECRET_WAITS) for pod in facts.running(app))
        # A Secret that is missing as a volume keeps the init containers from starting; they say nothing then.
        case Reason.GITLAB_STILL_INITIALISING:
            return not facts.waits.get(app)
        # A sign-on that fails may lead back to the page, or break it.
        case Reason.GITLAB_PAGE_FAILS:
            return not facts.page_cause or _LOOKED_AFTER_BY.get(facts.page_cause) == KEYCLOAK
    return False
