"""The two words for failure. A client raises one of these and nothing else.

ReconvergeError          its text is shown to operators: names and codes, never a body or a value
├── TemporaryError       worth another run, not before `delay`; a write may have been done
│   ├── NotWritten       it certainly was not
│   │   ├── Throttled        the far side named the delay
│   │   ├── WriteConflict    somebody else writes under the same identity
│   │   └── Busy             another run of ours owns what this one needs; no fault at all
│   └── LeaseLost        another worker owns the target or the identity now
└── PermanentError       another run cannot help; a person or a new version must; nothing was written
    ├── HalfWritten      but for this one: it was refused after a first write of the same step
    ├── HumanNeeded      a far side refuses what only its people can allow; `reason` is the code to look up
    ├── Misconfigured    a setting or the landscape is wrong; the text says what to write instead
    └── Refused          bad or unauthenticated input; `status` is the sender's HTTP answer
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final


class ReconvergeError(Exception):
    """Root of everything Reconverge raises on purpose."""


class TemporaryError(ReconvergeError):
    """May pass by itself."""

    def __init__(self, message: str, *, delay: timedelta, asked: bool = False) -> None:
        """asked: the far side named the delay, so nothing may shorten it."""
        super().__init__(message)
        self.delay = delay
        self.asked = asked


class NotWritten(TemporaryError):
    """Nothing was written: it was refused, or what it rested on had changed."""


class Throttled(NotWritten):
    """The far side asked for a pause, and named it as a rule."""

    def __init__(self, message: str, *, delay: timedelta) -> None:
        super().__init__(message, delay=delay, asked=True)


class WriteConflict(NotWritten):
    """Another writer was active under the same identity."""


class Busy(NotWritten):
    """Another run of ours owns what this one needs; it will let go soon."""


class LeaseLost(TemporaryError):
    """This worker may write nothing more: its lease ran out or was taken over."""

    def __init__(self, message: str, *, delay: timedelta = timedelta(0)) -> None:
        super().__init__(message, delay=delay)


class PermanentError(ReconvergeError):
    """Stays until a person or a new version changes something."""


class HalfWritten(PermanentError):
    """What came after the first write of a step was refused."""


class HumanNeeded(PermanentError):
    """Nothing is broken here, and nothing was written: somebody else's rule stands in the way."""

    def __init__(self, message: str, *, reason: str) -> None:
        """reason: one of the responder's codes, whose remedy says what they can do."""
        super().__init__(message)
        self.reason: Final = reason


class Misconfigured(PermanentError):
    """The operator's own input is wrong."""


class Refused(PermanentError):
    """A sender's input is not acceptable."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status: Final = status


@contextmanager
def before_a_write() -> Iterator[None]:
    """Around what comes before the first write of a step: whatever fails there, nothing was written."""
    try:
        yield
    except NotWritten:
        raise
    except TemporaryError as error:
        raise NotWritten(str(error), delay=error.delay, asked=error.asked) from error


@contextmanager
def after_a_write() -> Iterator[None]:
    """Around what follows the first write of a step: nothing that it raises says that nothing was written."""
    try:
        yield
    except NotWritten as error:
        raise TemporaryError(str(error), delay=error.delay, asked=error.asked) from error
    except PermanentError as error:
        raise HalfWritten(str(error)) from error
