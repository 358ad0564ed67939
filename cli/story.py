"""The story of a drill: a platform that works, a rebuilt cluster, an app that is told, and the verdict.

    start ─ before ─ rebuild ─ broken? ─ repair ─ verdict

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

from cli import sandbox
from cli.exits import Exit, worst
from cli.output import short_id
from cli.surroundings import Surroundings
from cli.verdict import Answer, Claim, Judge, Operator, Verdict, claims
from cli.watch import Status, Watch, settled_well
from sandbox.control_client import Control, ControlError
from sandbox.processes import tail
from sandbox.stack import Stack
from shared.errors import PermanentError
from shared.landscape import load

ENVIRONMENT: Final = "dev"
POLL: Final = timedelta(milliseconds=500)
AGAIN: Final = timedelta(seconds=2)
ANSWER_SECONDS: Final = 10
SLOW_SECONDS: Final = 60.0
EXITS: Final = {
    Answer.ACCEPTED: Exit.CONVERGED,
    Answer.REFUSED: Exit.DIFFERENCES,
    Answer.NOT_KNOWN: Exit.COULD_NOT_TELL,
}


@dataclass(slots=True)
class Evidence:
    """What the drill saw, from outside unless it says otherwise."""

    stack: Stack
    asked: tuple[Claim, ...]
    before: Mapping[Claim, Verdict] = field(default_factory=dict)
    rebuilt: list[dict[str, Any]] = field(default_factory=list)
    after: Mapping[Claim, Verdict] = field(default_factory=dict)
    delivery: Mapping[str, Any] | None = None
    """Of the first event that the app took."""
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


class _ProvesNothing(Exception):
    """The story went another way than the one to be judged; the text says how."""


class Story:
    def __init__(self, directory: Path, here: Surroundings) -> None:
        self._directory = directory
        self._here = here
        self._screen = here.screen

    def play(self, timeout: timedelta) -> Evidence:
        """Raises PermanentError when the sandbox does not start."""
        with self._step("start", "a cloud, a storage account and the app, on free loopback ports"):
            running = sandbox.start(self._directory)
        evidence = Evidence(running, claims(load(running.environment["RECONVERGE_LANDSCAPE"])))
        try:
            self._rebuild(evidence)
            self._repair(evidence, timeout)
        except (_ProvesNothing, PermanentError, ControlError, requests.RequestException) as why:
            evidence.proves_nothing = str(why)
        if evidence.code is not Exit.CONVERGED:
            for child in running.children:
                self._screen.note(f"{child.name}{tail(self._directory / 'logs' / f'{child.name}.log')}")
        return evidence

    def _rebuild(self, evidence: Evidence) -> None:
        judge = Judge(operator_of(evidence.stack))
        with self._step(
            "before", f"each of {len(evidence.asked)} declared credentials is tried from outside"
        ):
            evidence.before = judge.verdicts(evidence.asked)
        self._tell_verdicts(evidence.before)
        if any(verdict.answer is not Answer.ACCEPTED for verdict in evidence.before.values()):
            raise _ProvesNothing("not every credential worked before the rebuild")
        clusters = sandbox.clusters_of(evidence.stack, ENVIRONMENT)
        with self._slow_directory():
            for cluster in clusters:
                self._rebuild_one(cluster, evidence)
            with self._step("broken?", "the same credentials are tried again"):
                evidence.after = judge.verdicts(evidence.asked)
        self._tell_verdicts(evidence.after)
        names = {short_id(cluster).lower() for cluster in clusters}
        hit = [claim for claim in evidence.asked if claim.cluster.lower() in names]
        if any(evidence.after[claim].answer is not Answer.REFUSED for claim in hit):
            raise _ProvesNothing("not every credential of the cluster was refused after the rebuild")

    def _rebuild_one(self, cluster: str, evidence: Evidence) -> None:
        does = f"cluster {short_id(cluster)} of {ENVIRONMENT}: deleted, and created anew"
        with self._step("rebuild", does):
            rebuilt = sandbox.recreate(self._directory, cluster)
        self._screen.note(f"  issuer: {rebuilt['previousIssuer']}")
        self._screen.note(f"        → {rebuilt['issuer']}")
        evidence.rebuilt.append(rebuilt)

    @contextmanager
    def _slow_directory(self) -> Iterator[None]:
        """Entra learns late of what the app writes meanwhile: no repair outruns the look at the damage."""
        control = Control.from_dir(self._directory)
        usual = control.dials()["entra_propagation"]
        control.turn(entra_propagation=SLOW_SECONDS)
        try:
            yield
        finally:
            control.turn(entra_propagation=usual)

    def _repair(self, evidence: Evidence, timeout: timedelta) -> None:
        rebuilt_at, deadline = self._here.clock(), self._here.clock() + timeout
        judge, watch = Judge(operator_of(evidence.stack)), Watch()
        while True:
            with self._step("repair", "Event Grid tells the app, which looks, repairs and proves") as update:
                while (
                    not self._settled(evidence, watch, rebuilt_at, update) and self._here.clock() < deadline
                ):
                    self._here.pause(POLL)
            with self._step("verdict", "the same credentials are tried a last time from outside"):
                evidence.now = judge.verdicts(evidence.asked)
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
        status = _status(evidence.stack)
        if status is None:
            return False
        evidence.status = status
        for line in watch.news(status):
            self._screen.note(f"  {line}")
        update(", ".join(f"{one['target']} {one['outcome']}" for one in status["targets"]))
        return evidence.delivery is not None and settled_well(status, since)

    def _delivery(self) -> Mapping[str, Any] | None:
        """The first event that the app took, as the sandbox's Event Grid saw it."""
        with suppress(ControlError, OSError):  # the next look asks again
            control = Control.from_dir(self._directory)
            taken = next((one for one in control.deliveries() if one["state"] == "delivered"), None)
            if taken is not None:
                self._tell_request(taken)
                return taken
        return None

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
        counted = Counter(map(str, found.values()))
        said = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        self._screen.note(f"  {said}")

    @contextmanager
    def _step(self, name: str, does: str) -> Iterator[Callable[[str], None]]:
        with self._screen.waiting(f"{name}: {does}", stays=True) as update:
            yield update


def _status(running: Stack) -> Status | None:
    """What the app says, to any holder of its function key. None while it does not answer."""
    with requests.Session() as session, suppress(requests.RequestException):
        session.trust_env = False
        answer = session.get(
            f"{running.environment['RECONVERGE_APP_URL']}/api/status",
            headers={"x-functions-key": running.environment["RECONVERGE_APP_KEY"]},
            timeout=ANSWER_SECONDS,
        )
        if answer.status_code == 200:
            status: Status = answer.json()
            return status
    return None


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
    )
