"""The story of a drill: a platform that works, what goes wrong at once, an app that is told, and the verdict.

    start ─ works? ─ rests? ─ rebuild ─ lose ─ commit ─ broken? ─ repair, review ─ verdict

The cluster is rebuilt, and the submodule of what Argo CD renders from comes to stand at a commit that git
serves to nobody: then no Application renders, and nothing that is repaired in Git arrives. So nobody sees
what else was committed meanwhile: hooks of Keycloak in the wrong order, and a GitLab whose databases are
not the same.

Everything but the app's own status is seen from outside of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests

from cli import judging, reviewer, sandbox
from cli.deployed import App
from cli.exits import Exit, worst
from cli.judging import Claim
from cli.judging.asking import Operator
from cli.judging.verdict import Answer, Verdict
from cli.output import Screen, short_id
from cli.surroundings import Surroundings
from cli.verdicts import Row, Told, rows
from cli.watch import Status, Watch, counted, settled_well, stirring
from sandbox.control_client import Control, ControlError
from sandbox.environment import Channel
from sandbox.processes import tail
from sandbox.stack import Stack
from shared.errors import PermanentError
from shared.landscape import Landscape, load

ENVIRONMENT: Final = "dev"
COMMITTED: Final = {
    "keycloak-patcher-before-bootstrap": "Keycloak's client patcher comes before the bootstrap it rests on",
    "gitlab-ci-unmapped": "GitLab's database ci is not mapped to that of main any more",
}
"""Broken states of the sandbox, each a commit to a file of values."""
POLL: Final = timedelta(milliseconds=500)
AGAIN: Final = timedelta(seconds=2)
SETTLING: Final = timedelta(minutes=3)
"""How long a new platform may take until everything in it has happened once."""
RESTED: Final = 4
"""Looks at the app one after the other that find it at rest: a signal is routed between two of them."""
NOTICING: Final = timedelta(minutes=1)
"""How long it may take until all that is broken shows it."""
EXITS: Final = {
    Answer.HOLDS: Exit.CONVERGED,
    Answer.FAILS: Exit.DIFFERENCES,
    Answer.NOT_KNOWN: Exit.COULD_NOT_TELL,
}


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that the drill did."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What the app proposed and the reviewer merged."""

    at: datetime
    proposal: reviewer.Proposal


@dataclass(slots=True)
class Evidence:
    """What the drill saw, from outside unless it says otherwise."""

    stack: Stack
    landscape: Landscape
    asked: tuple[Claim, ...]
    before: Mapping[Claim, Verdict] = field(default_factory=dict)
    rebuilt: list[dict[str, Any]] = field(default_factory=list)
    after: Mapping[Claim, Verdict] = field(default_factory=dict)
    delivery: Mapping[str, Any] | None = None
    """Of the first event that the app took."""
    damage: list[Happened] = field(default_factory=list)
    told_at: datetime | None = None
    """When the events went out to the app."""
    merged: list[Merged] = field(default_factory=list)
    status: Status | None = None
    """The app's own last word."""
    now: Mapping[Claim, Verdict] = field(default_factory=dict)
    proves_nothing: str = ""
    """Why there is no verdict, whatever was seen."""

    @property
    def code(self) -> Exit:
        if self.proves_nothing:
            return Exit.COULD_NOT_TELL
        return worst(EXITS[self.now[claim].answer] for claim in self.asked)

    @property
    def rows(self) -> tuple[Row, ...]:
        told = Told(self.status, self.told_at) if self.status and self.told_at else Told.nothing()
        return rows(self.asked, self.before, self.after, self.now, told)


class _ProvesNothing(Exception):
    """The story went another way than the one to be judged; the text says how."""


class Story:
    def __init__(self, directory: Path, here: Surroundings, channel: Channel) -> None:
        self._directory = directory
        self._here = here
        self._screen = here.screen
        self._channel = channel

    def play(self, timeout: timedelta) -> Evidence:
        """Raises PermanentError when the sandbox does not start."""
        with self._step("start", "a cloud, Vault, a storage account and the app, on free loopback ports"):
            running = sandbox.start(self._directory, channel=self._channel, sweep=self._far_sweep())
        landscape = load(running.environment["RECONVERGE_LANDSCAPE"])
        evidence = Evidence(running, landscape, judging.claims(landscape))
        try:
            self._wait_until_it_works(evidence)
            with self._events_held():
                self._wait_until_the_app_rests(running)
                self._rebuild(evidence)
                told_at = evidence.told_at = self._here.clock()
            self._repair(evidence, told_at, timeout)
        except (_ProvesNothing, PermanentError, ControlError, requests.RequestException) as why:
            evidence.proves_nothing = str(why)
        if evidence.code is not Exit.CONVERGED:
            tell_logs(self._screen, running)
        return evidence

    def _far_sweep(self) -> str:
        """Every hour, half an hour from now: the story is about the event, which no sweep may outrun."""
        return f"0 {(self._here.clock().minute + 30) % 60} * * * *"

    # -- the damage -------------------------------------------------------------------

    def _rebuild(self, evidence: Evidence) -> None:
        clusters = sandbox.clusters_of(evidence.stack, ENVIRONMENT)
        for cluster in clusters:
            self._rebuild_one(cluster, evidence)
        self._lose_submodule(evidence)
        self._commit_faults(evidence)
        names = {short_id(cluster).lower() for cluster in clusters}
        hit = [claim for claim in evidence.asked if claim.cluster.lower() in names]
        if unhurt := self._wait_until_it_shows(hit, evidence):
            told = ", ".join(f"{claim.name}: {evidence.after[claim]}" for claim in unhurt)
            raise _ProvesNothing(f"not everything was broken by the rebuild ({told})")

    def _wait_until_it_works(self, evidence: Evidence) -> None:
        deadline = self._here.clock() + SETTLING
        says = f"each of {len(evidence.asked)} declared things is tried from outside, until all of them hold"
        with self._step("works?", says) as update:
            while True:
                evidence.before = judging.verdicts(operator_of(evidence.stack), evidence.asked)
                bad = [claim for claim in evidence.asked if evidence.before[claim].answer is not Answer.HOLDS]
                if not bad or self._here.clock() >= deadline:
                    break
                first = f"{bad[0].name}: {evidence.before[bad[0]]}"
                update(f"{len(bad)} of {len(evidence.asked)} do not hold yet, such as {first}")
                self._here.pause(POLL)
        self._tell_verdicts(evidence.before)
        if bad:
            told = ", ".join(f"{claim.name}: {evidence.before[claim]}" for claim in bad)
            raise _ProvesNothing(f"not everything worked before the rebuild ({told})")

    def _wait_until_the_app_rests(self, running: Stack) -> None:
        """What its start set going would find the damage before the app is told of it."""
        app = App.of(running)
        with self._step("rests?", "the app ends what its start set going") as update:
            astir = until_at_rest(lambda: app.status(self._here.clock()), self._here, update)
        if astir:
            told = ", ".join(astir)
            raise _ProvesNothing(f"the app did not come to rest before the rebuild ({told})")

    def _rebuild_one(self, cluster: str, evidence: Evidence) -> None:
        does = f"cluster {short_id(cluster)} of {ENVIRONMENT}: deleted, and created anew"
        with self._step("rebuild", does):
            rebuilt = sandbox.recreate(self._directory, cluster)
        self._screen.note(f"  issuer: {rebuilt['previousIssuer']}")
        self._screen.note(f"        → {rebuilt['issuer']}")
        evidence.rebuilt.append(rebuilt)
        self._happened(evidence, does)

    def _lose_submodule(self, evidence: Evidence) -> None:
        does = "the submodule comes to stand at a commit of a branch that was squashed and deleted"
        with self._step("lose", does):
            moved = sandbox.move_submodule(self._directory)
        self._screen.note(f"  {moved['path']} of {moved['parent']}: {moved['commit']}")
        self._happened(evidence, does)

    def _commit_faults(self, evidence: Evidence) -> None:
        """Into the files of values. Nothing of it shows yet: Argo CD renders nothing any more."""
        for name, means in COMMITTED.items():
            with self._step("commit", f"{means}, in {ENVIRONMENT}"):
                sandbox.break_(self._directory, name, ENVIRONMENT)
            self._happened(evidence, f"{means} ({name})")

    def _happened(self, evidence: Evidence, what: str) -> None:
        evidence.damage.append(Happened(self._here.clock(), what))

    def _wait_until_it_shows(self, hit: list[Claim], evidence: Evidence) -> list[Claim]:
        """Those of the claims that hold all the same."""
        deadline = self._here.clock() + NOTICING
        with self._step("broken?", "the same is tried again"):
            while True:
                evidence.after = judging.verdicts(operator_of(evidence.stack), evidence.asked)
                unhurt = [claim for claim in hit if evidence.after[claim].answer is not Answer.FAILS]
                if not unhurt or self._here.clock() >= deadline:
                    break
                self._here.pause(POLL)
        self._tell_verdicts(evidence.after)
        return unhurt

    @contextmanager
    def _events_held(self) -> Iterator[None]:
        """Event Grid and Argo CD tell when the damage has been seen: no repair outruns the look at it."""
        control = Control.from_dir(self._directory)
        control.turn(event_hold=True)
        try:
            yield
        finally:
            control.turn(event_hold=False)

    # -- the repair -------------------------------------------------------------------

    def _repair(self, evidence: Evidence, told_at: datetime, timeout: timedelta) -> None:
        deadline, watch = told_at + timeout, Watch(told_at)
        while True:
            with self._step("repair", "Event Grid tells the app, which looks, repairs and proves") as update:
                while not self._settled(evidence, watch, told_at, update) and self._here.clock() < deadline:
                    self._here.pause(POLL)
            with self._step("verdict", "the same is tried a last time from outside"):
                evidence.now = judging.verdicts(operator_of(evidence.stack), evidence.asked)
            self._tell_verdicts(evidence.now)
            if evidence.code is Exit.CONVERGED or self._here.clock() >= deadline:
                break
            # What the app calls good may be a look from before the last event.
            self._here.pause(AGAIN)
        if evidence.delivery is None:
            raise _ProvesNothing(f"no event reached the app within {timeout.total_seconds():.0f} s")

    def _settled(
        self, evidence: Evidence, watch: Watch, since: datetime, update: Callable[[str], None]
    ) -> bool:
        """Tell what is new; whether the app took an event and ended well with every target."""
        evidence.delivery = evidence.delivery or self._delivery()
        self._review(evidence)
        status = App.of(evidence.stack).status(since)
        if status is None:
            return False
        evidence.status = status
        for line in watch.news(status):
            self._screen.note(f"  {line}")
        update(counted(status))
        return evidence.delivery is not None and settled_well(status, since)

    def _review(self, evidence: Evidence) -> None:
        """Read what is proposed, merge it, and ask the app to look: by itself it would do so later."""
        person = reviewer.of(evidence.stack.environment)
        for proposal in list(person.proposals(evidence.landscape)):
            self._screen.note(f"  proposed: {proposal.repository}#{proposal.number} {proposal.title}")
            for line in proposal.body.splitlines():
                self._screen.note(f"    {line}".rstrip())
            person.merge(proposal)
            evidence.merged.append(Merged(self._here.clock(), proposal))
            self._screen.note("  reviewed and merged, as a person would")
            App.of(evidence.stack).look_at(proposal.environment)

    def _delivery(self) -> Mapping[str, Any] | None:
        """The first event that the app took, as the sandbox's Event Grid saw it."""
        with suppress(ControlError, OSError):  # the next look asks again
            control = Control.from_dir(self._directory)
            taken = next((one for one in control.deliveries() if one["state"] == "delivered"), None)
            if taken is not None:
                self._tell_request(taken)
                return taken
        return None

    # -- telling ----------------------------------------------------------------------

    def _tell_request(self, taken: Mapping[str, Any]) -> None:
        """As it went over the wire, but for its key."""
        request = taken["lastRequest"]
        self._screen.note(f"  Event Grid: {request['line']}")
        for name, text in request["headers"].items():
            self._screen.note(f"    {name}: {text}")
        self._screen.note(
            f"    → {taken['lastStatus']} (attempt {taken['attempts']}, event {taken['eventId']})"
        )

    def _tell_verdicts(self, found: Mapping[Claim, Verdict]) -> None:
        numbers = Counter((claim.kind, str(verdict)) for claim, verdict in found.items())
        kinds = dict.fromkeys(kind for kind, _ in numbers)
        for kind in kinds:
            said = ", ".join(f"{number} × {says}" for (of, says), number in numbers.items() if of == kind)
            self._screen.note(f"  {kind}: {said}")

    @contextmanager
    def _step(self, name: str, does: str) -> Iterator[Callable[[str], None]]:
        with self._screen.waiting(f"{name}: {does}", stays=True) as update:
            yield update


def until_at_rest(
    look: Callable[[], Status | None], here: Surroundings, update: Callable[[str], None]
) -> tuple[str, ...]:
    """Wait until RESTED looks one after the other find the app at rest. What it does where SETTLING was not
    long enough for that; else nothing."""
    deadline, rested = here.clock() + SETTLING, 0
    while rested < RESTED:
        status = look()
        astir = stirring(status) if status else ("no answer",)
        if astir and here.clock() >= deadline:
            return astir
        rested = 0 if astir else rested + 1
        update(", ".join(astir))
        here.pause(POLL)
    return ()


def tell_logs(screen: Screen, running: Stack) -> None:
    for child in running.children:
        for line in f"{child.name}{tail(running.log(child))}".splitlines():
            screen.note(line)


def operator_of(running: Stack) -> Operator:
    given = running.environment
    return Operator(
        arm=given["RECONVERGE_ARM_ENDPOINT"],
        authority=given["AZURE_AUTHORITY_HOST"],
        tenant=given["AZURE_TENANT_ID"],
        client_id=given["SANDBOX_OPERATOR_CLIENT_ID"],
        secret=given["SANDBOX_OPERATOR_CLIENT_SECRET"],
        ca=given["REQUESTS_CA_BUNDLE"],
        kubeconfig=Path(given["KUBECONFIG"]),
        github=given["RECONVERGE_GITHUB_URL"],
        github_token=given["SANDBOX_GITHUB_TOKEN"],
        vault_tokens={
            name.removeprefix("SANDBOX_VAULT_TOKEN_").lower(): token
            for name, token in given.items()
            if name.startswith("SANDBOX_VAULT_TOKEN_")
        },
    )
