"""In which order Argo CD runs the two Jobs, by their annotations, and which annotations would be right. Pure.

    PreSync ── Sync ── PostSync, and within a phase by waves; a Job that is no hook is of Sync

https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

SYNC: Final = "Sync"
FIRST_WAVE: Final = 1
"""After everything that has no wave of its own, the realm imports among it: without a realm neither Job can
do anything, and no later wave begins before an earlier one is healthy."""


class Phase(IntEnum):
    PRE_SYNC = 1
    SYNC = 2
    POST_SYNC = 3


_PHASES: Final[Mapping[str, Phase]] = {
    "": Phase.SYNC,
    "PreSync": Phase.PRE_SYNC,
    "Sync": Phase.SYNC,
    "PostSync": Phase.POST_SYNC,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Job's annotations put it."""

    hook: str
    """As it is written; empty for a Job that is no hook."""
    wave: int

    def __str__(self) -> str:
        return f"{_shown(self.hook)} wave {self.wave}" if self.hook else f"no hook, wave {self.wave}"

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Those that it runs in, in their order; none for a hook of no sync, such as SyncFail or Skip."""
        named = [one.strip() for one in self.hook.split(",")]
        return tuple(sorted({_PHASES[one] for one in named if one in _PHASES}))

    @property
    def is_sync_hook(self) -> bool:
        return bool(self.hook) and self.phases == (Phase.SYNC,)


def _shown(hook: str) -> str:
    """An annotation is written by whoever may write the chart: only words that are known are repeated."""
    known = [one.strip() for one in hook.split(",") if one.strip() in _PHASES]
    return ",".join(known) if known else "another hook"


def comes_before(bootstrap: Place, patcher: Place) -> bool:
    """Whether the bootstrap is over, wherever it runs, before the patcher begins anywhere."""
    if not bootstrap.phases or not patcher.phases:
        return False
    return (bootstrap.phases[-1], bootstrap.wave) < (patcher.phases[0], patcher.wave)


def is_right(bootstrap: Place, patcher: Place) -> bool:
    return bootstrap.is_sync_hook and comes_before(bootstrap, patcher)


def ordered(bootstrap: Place, patcher: Place, *, patcher_wave_may_change: bool = True) -> tuple[Place, Place]:
    """Both as they should be, as near to what they are as can be: the bootstrap a hook of Sync, the patcher
    behind it. Waves stay where the hooks alone mend it."""
    first = replace(bootstrap, hook=SYNC)
    then = patcher if patcher.phases in ((Phase.SYNC,), (Phase.POST_SYNC,)) else replace(patcher, hook=SYNC)
    stay = bootstrap.phases == (Phase.SYNC,) and then == patcher
    if then.phases == (Phase.POST_SYNC,) or (stay and first.wave < then.wave):
        return first, then
    if FIRST_WAVE <= first.wave < then.wave:
        return first, then
    if then.wave > FIRST_WAVE or not patcher_wave_may_change:
        return replace(first, wave=then.wave - 1), then
    return replace(first, wave=FIRST_WAVE), replace(then, wave=FIRST_WAVE + 1)
