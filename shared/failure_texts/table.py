"""The one table of what foreign systems say when something has failed.

A code is public. It may be retired, its page kept; it never gets a second meaning. Each row is a fault with
the words for it, and reads only what is specific to it: a new wording goes into its row.
"""

from typing import Final

from shared.failure_texts import git_rows, manifest_rows, platform_rows, service_rows
from shared.failure_texts.model import FailureText

TABLE: Final[tuple[FailureText, ...]] = (
    *git_rows.ROWS,
    *manifest_rows.ROWS,
    *platform_rows.ROWS,
    *service_rows.ROWS,
)
