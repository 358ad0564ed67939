"""The deployed app's way of a signal, from queue to journal. Entered by the triggers, one method each.

Everything is built from the settings once per process and shared by its threads.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final, Self

import responders
from responders import REGISTRY, wiring
from shared import buried, routing, signals, workqueue
from shared.buried import Buried
from shared.engine import Report, Run, execute, record_outcome, settle, waiting_part
from shared.errors import LeaseLost, Refused, TemporaryError
from shared.journal import SIGNALS, Journal, Kind
from shared.landscape import Landscape, load
from shared.leases import Leases
from shared.model import Clock, Outcome, Pause, Signal, Source, Target, Word, same_id, utc_now
from shared.notices import Notifier, tell_if_news
from shared.plans import Plans, StoredPlan
from shared.ports import Messages, Rows
from shared.settings import Settings
from shared.signals import Dropped, Rejected
from shared.steps import Crew
from shared.workqueue import Jitter, Work, WorkQueue
from shared.world import Leads, Scope, World

log = logging.getLogger(__name__)

SELF: Final = "reconverge"
NEWS_AFTER: Final = timedelta(seconds=15)
"""So long after a root has looked, a symptom of it may be news to it."""
NO_TARGET: Final = "the message names no target"
"""Without the text that stands in the place of one: it may be anything."""


def pause(wait: timedelta) -> None:
    time.sleep(wait.total_seconds())


@dataclass(frozen=True, kw_only=True)
class Service:
    rows: Rows
    messages: Messages
    world: World
    read_landscape: Callable[[], Landscape]
    notifier: Notifier
    clock: Clock = utc_now
    pause: Pause = pause
    callers_named: bool = False
    """The platform vouches for the headers that name who sent a request."""
    jitter: Jitter = random.uniform
    dry: bool = False
    """Plan, whatever the contract allows to be written."""
    observe: Callable[[Target, Report], None] = lambda _target, _report: None
    """Is shown every run's report as it ends."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises Misconfigured."""
        rows, messages = wiring.stores(settings)
        return cls(
            rows=rows,
            messages=messages,
            world=wiring.world(settings),
            read_landscape=lambda: load(settings.landscape),
            notifier=wiring.notifier(settings),
            callers_named=settings.callers_named,
        )

    @cached_property
    def landscape(self) -> Landscape:
        """Raises Misconfigured. A deployment brings a new file and new processes, so once is enough."""
        return self.read_landscape()

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.rows, self.clock)

    @cached_property
    def queue(self) -> WorkQueue:
        return WorkQueue(self.rows, self.messages, self.clock, jitter=self.jitter)

    @cached_property
    def plans(self) -> Plans:
        return Plans(self.rows, self.clock)

    @cached_property
    def buried(self) -> Buried:
        return Buried(self.rows, self.messages, self.clock)

    # -- queue `signals` ------------------------------------------------------------------

    def route(self, body: bytes) -> None:
        """Journal each signal of a message and ask for the runs it calls for.

        Raises TemporaryError or Misconfigured when that could not be stored: the queue delivers again.
        """
        for reading in signals.from_message(body):
            match reading:
                case Dropped(operation):
                    self.journal.count(operation)
                case Rejected():
                    self._reject(reading)
                case Signal():
                    self._route(reading)

    def _route(self, signal: Signal) -> None:
        own = self._is_own_write(signal)
        targets = () if own else routing.targets(self.landscape, signal, REGISTRY)
        if not (own or targets):
            self.journal.count(f"undeclared {signal.kind}")
            return
        self.journal.record(
            Kind.SIGNAL,
            SIGNALS,
            actor=signal.caller or signal.source.value,
            correlation_id=signal.correlation_id,
            detail={
                "kind": signal.kind,
                "source": signal.source.value,
                "subject": signal.subject,
                "time": signal.time.isoformat(),
                "targets": [str(target) for target in targets],
                "own": own,
            },
        )
        for target in targets:
            self.queue.want(target, signal.correlation_id)

    def _is_own_write(self, signal: Signal) -> bool:
        """Only a credential's: nothing else is ours to write, so anything else of ours deserves a look."""
        return (
            signal.kind.startswith("credential.")
            and signal.caller is not None
            and same_id(signal.caller, self.landscape.reconverge.object_id)
        )

    def _reject(self, rejected: Rejected) -> None:
        log.warning("signal.rejected", extra={"reason": rejected.reason, "digest": rejected.digest})
        self.journal.record(
            Kind.REJECTED,
            SIGNALS,
            actor=SELF,
            correlation_id=rejected.correlation_id,
            detail={"reason": rejected.reason, "digest": rejected.digest, "size": rejected.size},
        )

    # -- queue `targets` ------------------------------------------------------------------

    def run(self, body: bytes) -> Outcome | None:
        """Run the target a message names, if its row says that there is something to do.

        Raises TemporaryError, so that the queue delivers again, when the ending could not be stored, and when
        the lease was lost: perhaps nobody has taken over yet.
        """
        try:
            target = workqueue.from_message(body)
        except ValueError:
            self._reject(signals.rejected(NO_TARGET, body))
            return None
        work = self.queue.take(target, f"{uuid.uuid4()}")
        if work is None:
            return None
        try:
            return self._run(work)
        except LeaseLost as lost:
            log.warning("run.lost", extra={"target": str(target), "run": work.lease.owner, "why": str(lost)})
            raise

    def _run(self, work: Work) -> Outcome:
        run = Run(id=work.lease.owner, correlation_id=work.correlation_id, actor=SELF, dry=self.dry)
        if work.taken_over_from:
            self.journal.record(
                Kind.TAKEN_OVER,
                work.target,
                actor=SELF,
                correlation_id=run.correlation_id,
                run=run.id,
                detail={"from": work.taken_over_from},
            )
        report = settle(lambda: self._execute(work, run), self.clock)
        work.lease.keep()
        record_outcome(self.journal, work.target, run, report)
        due = self.queue.settle(work, report.outcome)
        log.info(
            "target.settled",
            extra={
                "target": str(work.target),
                "run": run.id,
                "correlation_id": run.correlation_id,
                "outcome": report.outcome.word.value,
                "because": report.outcome.because,
                "steps": len(report.applied.done),
                "due": due.isoformat() if due else None,
            },
        )
        remedy = responders.remedy(work.target.responder, report.outcome.reason)
        tell_if_news(self.notifier, work, report.outcome, remedy)
        self.observe(work.target, report)
        if report.changed or report.outcome.word is Word.CONVERGED:
            self._wake_those_that_wait(work.target, run.correlation_id)
        if report.outcome.blocked_by is not None:
            self._wake_the_root(Target.parse(report.outcome.blocked_by), run.correlation_id)
        return report.outcome

    def _wake_those_that_wait(self, target: Target, correlation_id: str) -> None:
        """Let the blocked look whether this was what held them. A message lost here costs the time until the
        sweep."""
        for one in routing.resting_on(target, self.landscape, REGISTRY):
            if self.queue.state(one).blocked_by is not None:
                self.queue.want(one, correlation_id)

    def _wake_the_root(self, root: Target, correlation_id: str) -> None:
        """Whoever sees a symptom may be the first to know of the root's fault. A root that has come to a
        fault knows of it, and one that has just looked is not asked again at once."""
        state = self.queue.state(root)
        long_ago = state.settled_at is None or self.clock() - state.settled_at >= NEWS_AFTER
        if long_ago and state.word in {None, Word.CONVERGED, Word.REPAIRED}:
            self.queue.want(root, correlation_id)

    def _execute(self, work: Work, run: Run) -> Report:
        scope = self._scope(work.target)
        if scope is None:
            because = "the landscape does not declare this target any more, or disables its environment"
            return Report(outcome=Outcome(word=Word.CONVERGED, because=because))
        crew = Crew(Leases(self.rows, self.clock), work.lease.keep, run.id)
        return execute(scope, responders.load(work.target.responder), run, self.plans, crew)

    def _scope(self, target: Target) -> Scope | None:
        if target not in routing.every(self.landscape, REGISTRY):
            return None
        return Scope(
            target=target,
            landscape=self.landscape,
            environment=self.landscape.environments[target.environment],
            world=self.world,
            journal=self.journal,
            clock=self.clock,
            pause=self.pause,
            preconditions=tuple(
                responders.load(one.responder)
                for one in routing.preconditions(target, self.landscape, REGISTRY)
            ),
        )

    # -- poison ---------------------------------------------------------------------------

    def bury(self, queue: str, body: bytes) -> None:
        """Keep what no worker could finish, journal it, and tell people once.

        Kept only after it was journalled: until then the poison queue keeps it, and delivers again.
        """
        for text in self._texts(queue, body):
            digest = buried.digest_of(queue, text)
            if self.buried.holds(digest):
                continue
            detail = {"queue": queue, "digest": digest}
            self.journal.record(Kind.BURIED, SIGNALS, actor=SELF, correlation_id=digest, detail=detail)
            self.buried.keep(queue, text)
            log.error("message.buried", extra=detail)
            self.notifier.tell("MessageBuried", queue, detail)

    def _texts(self, queue: str, body: bytes) -> list[str]:
        """The message in our own words, for whatever else it says may be about people."""
        if queue == signals.QUEUE:
            readings = signals.from_message(body)
            for rejected in (one for one in readings if isinstance(one, Rejected)):
                self._reject(rejected)
            return [signals.to_message(reading) for reading in readings]
        try:
            return [workqueue.to_message(workqueue.from_message(body))]
        except ValueError:
            self._reject(signals.rejected(NO_TARGET, body))
            return []

    # -- people ---------------------------------------------------------------------------

    def approve(self, digest: str, by: str) -> StoredPlan:
        """Agree to a stored plan, if the facts are still those it was made from.

        Raises Refused (404 unknown, 409 changed since, or nothing left to do) and TemporaryError.
        """
        stored = self.plans.find(digest)
        scope = self._scope(stored.target)
        if scope is None:
            raise Refused(f"{stored.target} is not in the landscape any more", status=409)
        responder = responders.load(stored.target.responder)
        findings, now_waiting = waiting_part(scope, responder)
        if now_waiting.digest != digest:
            # What could not be read has not changed for all we know.
            for finding in findings:
                if responder.reasons[finding.reason].leads is Leads.UNREAD:
                    raise TemporaryError(finding.message, delay=timedelta(seconds=30))
            if not now_waiting.steps:
                raise Refused(
                    f"plan {digest[:12]} has nothing left to change that may be approved", status=409
                )
            self.plans.store(now_waiting)
            raise Refused(
                f"the facts have changed since plan {digest[:12]}; plan {now_waiting.digest} replaces it",
                status=409,
            )
        correlation_id = str(uuid.uuid4())
        # First of all: from the next line on a run may act on it.
        self.journal.record(
            Kind.APPROVED, stored.target, actor=by, correlation_id=correlation_id, detail={"digest": digest}
        )
        approved = self.plans.approve(digest, by)
        self.queue.want(stored.target, correlation_id)
        return approved

    def replay(self, digests: tuple[str, ...], by: str) -> tuple[str, ...]:
        """Put buried messages back on their queues: the named ones, or all. Answers the digests replayed."""
        replayed = self.buried.replay(digests)
        for digest in replayed:
            self.journal.record(
                Kind.REPLAYED, SIGNALS, actor=by, correlation_id=digest, detail={"digest": digest}
            )
        return replayed


def sweep_message(clock: Clock) -> str:
    return request_message(Source.TIMER, "sweep", routing.EVERYTHING, str(uuid.uuid4()), clock)


def request_message(source: Source, kind: str, subject: str, correlation_id: str, clock: Clock) -> str:
    return signals.to_message(
        Signal(source=source, kind=kind, subject=subject, time=clock(), correlation_id=correlation_id)
    )
