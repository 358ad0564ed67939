"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 45.0
"""Seconds. Everything comes within a few of them, unless others keep the processors busy."""
_PAUSE: Final = 0.05


def eventually[T](look: Callable[[], T | None], what: str = "", *, patience: float = PATIENCE) -> T:
    """What `look` answers first that is true. Fails with its last answer when patience, in seconds, ends.

    what: told then; needed where the answer does not say it.
    """
    deadline = time.monotonic() + patience
    while not (seen := look()):
        assert time.monotonic() < deadline, (
            f"it never came to this: {what or 'a true answer'} (still {seen!r})"
        )
        time.sleep(_PAUSE)
    return seen
