"""The actions, and the situations they are made for. shared.attempts tells when one may be tried again."""

from typing import Final

from responders.applications.facts import Seen
from shared.model import digest_of

REFRESH: Final = "application.refresh"
SYNC: Final = "application.sync"
TERMINATE: Final = "application.terminate"


def of(seen: Seen, action: str) -> str:
    """The same Application with the same fault. A commit that is missing is a fault of its own, and so is
    each operation that does not end; a message differs with every retry."""
    failure, operation = seen.explanation.failure, seen.application.operation
    code = failure.code if failure else ""
    begun = str(operation.started) if action == TERMINATE and operation else ""
    return digest_of([seen.application.uid, action, code, seen.explanation.commit, begun])
