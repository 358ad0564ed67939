"""Faults of GitLab's page, seen from outside, where neither migrations nor pods explain them. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.gitlab_migrations.facts import WEBSERVICE, Facts
from responders.gitlab_migrations.reasons import Reason, finding
from shared.clients.web import NoAnswer, Page, origin_of
from shared.landscape import is_monitoring
from shared.model import Finding

ANSWERS_WITHIN: Final = timedelta(minutes=2)
"""After a pod became ready: gateways and load balancers learn of it later."""


def page_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Nothing while the page's faults are what is to be expected."""
    if facts.schema_awaited or not facts.ready(WEBSERVICE) or facts.page_proven:
        return
    match facts.page:
        case NoAnswer(why):
            yield _found(facts, Reason.GITLAB_UNREACHABLE, f"nobody answers ({why})", now)
        case Page(status=status) if status >= 500:
            says = f"it answers {status}"
            if facts.page_cause:
                says = f"{says}, and the webservice's log tells of {facts.page_cause}"
            yield _found(facts, Reason.GITLAB_PAGE_FAILS, says, now)
        # The landscape refuses such a page. Should one come here, GitLab is still not taken for down.
        case Page(status=404) if is_monitoring(facts.declared.page):
            says = "it answers 404, as to everybody who is not on the allow-list"
            yield finding(Reason.GITLAB_MONITORING_NOT_ALLOWED, facts.page_id, _about(facts, says))
        case Page(status=404):
            yield _found(facts, Reason.GITLAB_PAGE_MISSING, "it answers 404", now)
        case Page(status=429):
            says = "it could not be read: it answers 429"
            yield finding(Reason.GITLAB_UNREAD, facts.page_id, _about(facts, says))
        case Page(status=status, redirected_to=str(origin)) if origin == origin_of(facts.declared.url):
            # Of a redirect within the origin that is all there is after the last that is followed.
            says = f"it answers {status}, and leads back to itself without an end"
            yield _found(facts, Reason.GITLAB_PAGE_FAILS, says, now)
        case Page(status=status) as page:
            says = f"it answers {status}, which proves nothing{_instead(page)}"
            yield _found(facts, Reason.GITLAB_PAGE_UNPROVEN, says, now)


def _instead(page: Page) -> str:
    if page.redirected_to is not None:
        return f": it leads to {page.redirected_to}"
    return ": we are not let in" if page.status in (401, 403) else ""


def _found(facts: Facts, reason: Reason, says: str, now: datetime) -> Finding:
    if _young(facts, now):
        return finding(Reason.GITLAB_STARTING, facts.page_id, _about(facts, says))
    evidence = {"cause": facts.page_cause} if facts.page_cause else {}
    return finding(reason, facts.page_id, _about(facts, says), **evidence)


def _young(facts: Facts, now: datetime) -> bool:
    ended = facts.job.completed if facts.job else None
    times = [ended, *(pod.created for pod in facts.running(WEBSERVICE) if pod.ready)]
    newest = max((at for at in times if at is not None), default=None)
    return newest is not None and now - newest < ANSWERS_WITHIN


def _about(facts: Facts, says: str) -> str:
    return f"{facts.page_id}: {says}"
