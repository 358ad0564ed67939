"""Telling people: one notice for each ending that needs somebody, when it is news, and one for a failure that
lasts.

The journal is the record, a notice only a knock on the door: one that cannot be sent is logged and lost.
"""

import logging
from collections.abc import Mapping
from typing import Final

from shared.clients.azure_core import without_correlation
from shared.errors import PermanentError, TemporaryError
from shared.model import Outcome, Word
from shared.ports import Notices
from shared.workqueue import LONGEST_TEXT, Work

log = logging.getLogger(__name__)

NEEDS_SOMEBODY: Final = frozenset({Word.HUMAN, Word.APPROVAL, Word.PROPOSED})

LASTING: Final = 8
"""The failure in a row that is told although it may pass.

By the work queue's doubling pauses the eighth comes half an hour after the first. A bad moment of Azure, or a
role assignment on its way, is mostly over by then. Where signals, or something pending beside the failure,
wake the target in between, it comes sooner.
"""


class Notifier:
    """Sends notices and outlives their failures."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        try:
            self._notices.tell(kind, subject, data)
        except (TemporaryError, PermanentError) as error:
            log.error("notice.lost", extra={"kind": kind, "subject": subject, "why": str(error)})  # noqa: TRY400


def tell_if_news(notifier: Notifier, work: Work, outcome: Outcome, remedy: str | None) -> None:
    """Tell when somebody is needed, unless the last run ended the same way for the same reason and plan; and
    once when this is failure number LASTING in a row."""
    failures = work.failures + 1 if outcome.word is Word.FAILED and not outcome.permanent else 0
    if not (_is_new(work, outcome) or failures == LASTING):
        return
    said = {
        "target": str(work.target),
        "outcome": outcome.word.value,
        "because": outcome.because,
        "reason": outcome.reason,
        "remedy": remedy,
        "plan": outcome.plan,
        "failures": str(failures) if failures else None,
    }
    data = {name: text for name, text in said.items() if text}
    notifier.tell(f"Target{outcome.word.value.capitalize()}", str(work.target), data)


def _is_new(work: Work, outcome: Outcome) -> bool:
    needed = outcome.word in NEEDS_SOMEBODY or (outcome.word is Word.FAILED and outcome.permanent)
    because = without_correlation(outcome.because[:LONGEST_TEXT])
    last_because = without_correlation(work.last_because or "")
    ending = (outcome.word.value, because, outcome.plan)
    return needed and ending != (work.last_word, last_because, work.last_plan)
