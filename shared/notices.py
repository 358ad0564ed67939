"""Telling people: one notice for each ending that needs somebody, when it is news.

The journal is the record, a notice only a knock on the door: one that cannot be sent is logged and lost.
"""

import logging
from collections.abc import Mapping
from typing import Final

from shared.errors import PermanentError, TemporaryError
from shared.model import Outcome, Word
from shared.ports import Notices
from shared.workqueue import LONGEST_TEXT, Work

log = logging.getLogger(__name__)

NEEDS_SOMEBODY: Final = frozenset({Word.HUMAN, Word.APPROVAL, Word.PROPOSED})


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
    """Tell when somebody is needed, unless the last run ended the same way for the same reason and plan."""
    needed = outcome.word in NEEDS_SOMEBODY or (outcome.word is Word.FAILED and outcome.permanent)
    ending = (outcome.word.value, outcome.because[:LONGEST_TEXT], outcome.plan)
    if not needed or ending == (work.last_word, work.last_because, work.last_plan):
        return
    said = {
        "target": str(work.target),
        "outcome": outcome.word.value,
        "because": outcome.because,
        "reason": outcome.reason,
        "remedy": remedy,
        "plan": outcome.plan,
    }
    data = {name: text for name, text in said.items() if text}
    notifier.tell(f"Target{outcome.word.value.capitalize()}", str(work.target), data)
