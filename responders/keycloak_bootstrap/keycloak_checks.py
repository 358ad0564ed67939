"""Faults of Keycloak itself, of our way into it, and of the imports that make its realms. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.keycloak_bootstrap.facts import Facts
from responders.keycloak_bootstrap.reasons import Reason, finding
from shared.clients.keycloak import LoginRefused
from shared.clients.web import NoAnswer, Page
from shared.clients.workloads import RealmImport
from shared.model import Absent, Finding, Known, Unknown

IMPORTS_WITHIN: Final = timedelta(minutes=15)
"""An import takes a minute or two once Keycloak answers."""
STARTS_WITHIN: Final = timedelta(minutes=15)
"""A Keycloak that was deployed later than that ago should answer by now."""
RESTARTS_WITHIN: Final = timedelta(minutes=5)
"""One that was well at the last look may have been moved to another node."""
DOWN: Final = 500
"""From this status on an answer is no answer of Keycloak's own."""
NO_SUCH_REALM: Final = 404


def keycloak_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    """The imports' faults, then the first thing that keeps the realm's clients from being looked at."""
    importing = list(_import_faults(facts, now))
    yield from importing
    if fault := _way_in(facts, now, imported=not importing):
        yield fault


def reachable(facts: Facts) -> bool:
    return isinstance(facts.page, Page) and facts.page.status < DOWN


# -- the way in ---------------------------------------------------------------------------


def _way_in(facts: Facts, now: datetime, *, imported: bool) -> Finding | None:
    match facts.page:
        case NoAnswer(why):
            return _unreachable(facts, now, f"Keycloak does not answer at {facts.declared.url}: {why}")
        case Page(status=status) if status >= DOWN:
            return _unreachable(facts, now, f"{facts.declared.url} answers {status}")
    return _realm(facts) if imported else None


def _unreachable(facts: Facts, now: datetime, says: str) -> Finding:
    coming = facts.in_flux(now) or facts.awaits_deployment or facts.recovers(now)
    coming = coming or any(now - at < STARTS_WITHIN for at in facts.deployed)
    coming = coming or (facts.well_until is not None and now - facts.well_until < RESTARTS_WITHIN)
    reason = Reason.KEYCLOAK_STARTING if coming else Reason.KEYCLOAK_UNREACHABLE
    return finding(reason, facts.declared.url, says)


def _realm(facts: Facts) -> Finding | None:
    """Until the imports are done, neither the realm nor our client in it can be there."""
    missing = finding(Reason.REALM_MISSING, facts.realm_id, f"Keycloak has no realm {facts.declared.realm}")
    match facts.clients:
        case Absent():
            return missing
        # Of a page alone, anybody in front of Keycloak may say it as well.
        case found if not isinstance(found, Unknown) and _says_no_such_realm(facts):
            return missing
        case LoginRefused(why):
            says = f"client {facts.declared.login.client_id} of realm {facts.declared.realm}: {why}"
            return finding(Reason.KEYCLOAK_LOGIN_REFUSED, facts.realm_id, says)
        case Unknown(why):
            return finding(Reason.KEYCLOAK_UNREAD, facts.realm_id, f"its clients could not be read: {why}")
    return None


def _says_no_such_realm(facts: Facts) -> bool:
    return isinstance(facts.page, Page) and facts.page.status == NO_SUCH_REALM


# -- imports ------------------------------------------------------------------------------


def _import_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Of each declared import that is not done."""
    match facts.imports:
        case _ if not facts.declared.realm_imports:
            return
        case Unknown(why):
            says = f"the realm imports could not be listed: {why}"
            yield finding(Reason.KEYCLOAK_UNREAD, facts.import_id(""), says)
        case Absent():
            says = "the API server serves no KeycloakRealmImports"
            yield finding(Reason.REALM_IMPORTS_NOT_SERVED, facts.import_id(""), says)
        case Known(found):
            by_name = {one.name: one for one in found}
            for name in facts.declared.realm_imports:
                if fault := _import_fault(facts, name, by_name.get(name), now):
                    yield fault


def _import_fault(facts: Facts, name: str, found: RealmImport | None, now: datetime) -> Finding | None:
    subject = facts.import_id(name)
    if found is None and isinstance(facts.clients, Known):
        return None  # It made its realm, and was deleted once it was done.
    if found is None:
        says = f"namespace {facts.declared.namespace} has no KeycloakRealmImport {name}"
        return finding(Reason.REALM_IMPORT_MISSING, subject, says)
    # The operator says HasErrors of a Keycloak that is not up as well.
    if found.errors and reachable(facts):
        return finding(Reason.REALM_IMPORT_FAILED, subject, f"KeycloakRealmImport {name} says HasErrors")
    if found.done:
        return None
    begun = found.since or found.created
    state = "HasErrors" if found.errors else "Started" if found.started else "not begun"
    late = begun is not None and now - begun > IMPORTS_WITHIN
    if begun is not None and late and reachable(facts) and not facts.recovers(now):
        says = f"KeycloakRealmImport {name} is {state} since {begun:%Y-%m-%d %H:%M} UTC"
        return finding(Reason.REALM_IMPORT_STUCK, subject, says)
    return finding(Reason.REALM_IMPORT_UNDER_WAY, subject, f"KeycloakRealmImport {name} is {state}")
