"""What a command's exit code means. The same everywhere, and public: pipelines branch on it."""

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    CONVERGED = 0
    DIFFERENCES = 1
    WRONG_USE = 2
    """Of the command, of a setting, or of the landscape."""
    COULD_NOT_TELL = 3

    @property
    def says(self) -> str:
        return self.name.lower().replace("_", " ")


def worst(found: Iterable[Exit]) -> Exit:
    """Wrong use comes first: all else may be its consequence. No verdict outweighs a bad one."""
    order = (Exit.CONVERGED, Exit.DIFFERENCES, Exit.COULD_NOT_TELL, Exit.WRONG_USE)
    return max(found, key=order.index, default=Exit.CONVERGED)
