"""The door for Argo CD's notifications: who may come in, what is queued, and what is answered.

Called by the trigger. Loads nothing but what reads a message, since Argo CD waits for the answer without a
limit of its own; the landscape is looked at when the message comes off the queue.
"""

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Mapping
from typing import Final

from shared import signals
from shared.answers import Answer, problem, told
from shared.errors import Misconfigured
from shared.model import Clock, Signal, utc_now
from shared.signals import Rejected

log = logging.getLogger(__name__)

_BEARER: Final = re.compile(r"bearer +(?P<token>\S.*)", re.IGNORECASE | re.DOTALL)
_REFERENCE: Final = re.compile(r"(?:bearer +)?(?P<word>\$[A-Za-z0-9_-]{1,253})", re.IGNORECASE)
"""What Argo CD sends as it stands when its secret has no such key.

https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/overview/#sensitive-data
"""
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="reconverge"'}
_BY_GET: Final = (
    "send the message by POST. Argo CD sends it by GET where a template has no webhook block for the service:"
    " take the templates of deploy/argocd, or give yours `webhook: {<service>: {method: POST, body: …}}`"
)
_NOT_KNOWN: Final = "the header Authorization holds no bearer token that is accepted here"


def answer(
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    tokens: Callable[[], tuple[str, ...]],
    clock: Clock = utc_now,
) -> tuple[Answer, list[str]]:
    """The answer, and the messages to put on queue `signals` when it is a 202.

    headers: found by name in any spelling. tokens: those accepted; raises Misconfigured where there are none.
    """
    if method != "POST":
        return problem(405, _BY_GET, {"Allow": "POST"}), []
    try:
        accepted = tokens()
    except Misconfigured as error:
        return _closed(str(error)), []
    authorization = headers.get("Authorization") or ""
    if reference := _REFERENCE.fullmatch(authorization.strip()):
        return _unresolved(reference["word"]), []
    if not is_accepted(authorization, accepted):
        log.warning("argocd.refused")
        return problem(401, _NOT_KNOWN, _CHALLENGE), []
    return _received(signals.from_argocd(body, clock))


def is_accepted(authorization: str, tokens: tuple[str, ...]) -> bool:
    """Whether the header bears one of the tokens. How long that takes tells nothing of any of them."""
    found = _BEARER.fullmatch(authorization.strip())
    given = _digest(found["token"] if found else "")
    # All of them, before any is asked: the second is compared as well where the first is the one.
    alike = [hmac.compare_digest(given, _digest(one)) for one in tokens]
    return any(alike)


def _digest(token: str) -> bytes:
    """Digests have one length, and bytes may be any: compare_digest refuses texts beyond ASCII."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _closed(why: str) -> Answer:
    log.error("argocd.unconfigured", extra={"why": why})
    return problem(503, why)


def _unresolved(word: str) -> Answer:
    log.error("argocd.unresolved", extra={"reference": word})
    detail = (
        f"the header Authorization still holds {word} itself: argocd-notifications-secret has no key"
        f" {word[1:]}, or Argo CD has not read it yet"
    )
    return problem(401, detail, _CHALLENGE)


def _received(readings: tuple[signals.Reading, ...]) -> tuple[Answer, list[str]]:
    body: dict[str, str] = {}
    for reading in readings:
        match reading:
            case Signal():
                body |= {"id": reading.correlation_id, "application": reading.subject}
            case Rejected():
                body |= {"unreadable": reading.reason}
    return told(202, body), [signals.to_message(reading) for reading in readings]
