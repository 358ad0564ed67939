"""The engine in one process: the same work queue, kept in memory, worked off until nothing is due.

For `reconverge run`. What the deployed app does by delayed messages is done here by waiting for them.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from responders.service import Service
from shared.engine import Report
from shared.errors import Refused, TemporaryError
from shared.landscape import Landscape
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Clock, Pause, Target
from shared.notices import Notifier
from shared.workqueue import QUEUE, from_message
from shared.world import World

type Wait = Callable[[Target, timedelta], None]
"""Lets the time pass until the target's next look."""


@dataclass(frozen=True, slots=True)
class Session:
    service: Service
    messages: MemoryMessages
    reports: dict[Target, list[Report]]
    """Every look at each target, in order."""
    refusals: list[str] = field(default_factory=list)
    """Why approvals did not come to pass."""

    @classmethod
    def begin(
        cls,
        *,
        landscape: Landscape,
        world: World,
        notifier: Notifier,
        clock: Clock,
        pause: Pause,
        dry: bool,
        show: Callable[[Target, Report], None],
    ) -> Self:
        reports: dict[Target, list[Report]] = {}

        def observe(target: Target, report: Report) -> None:
            reports.setdefault(target, []).append(report)
            show(target, report)

        messages = MemoryMessages(clock)
        service = Service(
            rows=MemoryRows(),
            messages=messages,
            world=world,
            read_landscape=lambda: landscape,
            notifier=notifier,
            clock=clock,
            pause=pause,
            dry=dry,
            observe=observe,
        )
        return cls(service, messages, reports)

    def look(self, targets: Iterable[Target]) -> None:
        """Look once at each."""
        for _ in self._want(targets):
            self._take()

    def follow(
        self, targets: Iterable[Target], *, until: datetime, approved: Iterable[str], by: str, wait: Wait
    ) -> None:
        """Look at each, and again as often as a look is due before `until`.

        approved: digests of plans that somebody agreed to in advance. Each serves once.
        """
        self._want(targets)
        open_approvals = set(approved)
        while (waiting := self.messages.waiting(QUEUE)) and waiting[0].visible <= until:
            early = waiting[0].visible - self.service.clock()
            if early > timedelta(0):
                wait(from_message(waiting[0].text.encode()), early)
            self._take()
            for digest in tuple(open_approvals):
                if self._approve(digest, by):
                    open_approvals.discard(digest)
        self.refusals.extend(f"plan {digest} did not come up" for digest in sorted(open_approvals))

    def _want(self, targets: Iterable[Target]) -> tuple[Target, ...]:
        wanted = tuple(targets)
        correlation_id = str(uuid.uuid4())
        for target in wanted:
            self.service.queue.want(target, correlation_id)
        return wanted

    def _take(self) -> None:
        text = self.messages.take(QUEUE)
        if text is not None:
            self.service.run(text.encode())

    def _approve(self, digest: str, by: str) -> bool:
        """Whether the approval is used up, by success or by refusal."""
        try:
            self.service.plans.find(digest)
        except Refused:  # no look has come to this plan yet
            return False
        try:
            self.service.approve(digest, by)
        except (Refused, TemporaryError) as error:
            self.refusals.append(str(error))
        return True
