"""`reconverge drill`: the whole story on one computer, and a verdict from outside.

start ─ try every credential ─ rebuild the cluster ─ try again: refused ─ Event Grid tells the app
      ─ watch it work ─ try again: the verdict ─ stop everything
"""

import argparse
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import requests

from cli import sandbox
from cli.exits import Exit, worst
from cli.inputs import duration
from cli.output import Screen, Style, short_id
from cli.surroundings import Surroundings
from cli.verdict import Answer, Claim, Judge, Operator, Verdict, claims
from cli.watch import Status, Watch, changed_by, settled_well, state_of
from sandbox import stack
from sandbox.control_client import Control, ControlError
from sandbox.processes import tail
from sandbox.stack import Stack
from shared.errors import Misconfigured, PermanentError
from shared.landscape import load

ENVIRONMENT: Final = "dev"
POLL: Final = timedelta(milliseconds=500)
ANSWER_SECONDS: Final = 10
EXITS: Final = {
    Answer.ACCEPTED: Exit.CONVERGED,
    Answer.REFUSED: Exit.DIFFERENCES,
    Answer.NOT_KNOWN: Exit.COULD_NOT_TELL,
}
ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="where the sandbox keeps its files; else a folder of its own"
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    parser.add_argument(
        "--timeout",
        type=duration,
        default=timedelta(minutes=3),
        metavar="3m",
        help="for the app's part, from the rebuild on",
    )


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    directory: Path = given.dir or sandbox.HOME / f"drill-{os.getpid()}"
    if stack.load(directory) is not None:
        raise Misconfigured(f"a sandbox runs in {directory}: name another --dir, or stop it first")
    begun = time.monotonic()
    with _ended_by_signals():
        try:
            evidence = _Drill(directory, here).play(given.timeout)
        finally:
            if not given.keep:
                _tear_down(directory, remove=given.dir is None)
    show(here.screen, evidence, seconds=time.monotonic() - begun)
    if given.keep:
        here.screen.note(f"it still runs; stop it with `reconverge sandbox down --dir {directory}`")
    return evidence.code


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the drill as Ctrl-C does: nothing is left running."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    # What is ignored already (nohup, a background job) stays ignored.
    heard = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tear_down(directory: Path, *, remove: bool) -> None:
    """To its end, whoever grows impatient meanwhile: half of it would leave processes behind."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    stack.down(directory)
    if remove:
        shutil.rmtree(directory, ignore_errors=True)


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


class _Drill:
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
        except (_ProvesNothing, PermanentError) as why:
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
        for cluster in clusters:
            with self._step(
                "rebuild", f"cluster {short_id(cluster)} of {ENVIRONMENT}: deleted, and created anew"
            ):
                evidence.rebuilt.append(sandbox.recreate(self._directory, cluster))
            self._screen.note(f"  issuer: {evidence.rebuilt[-1]['previousIssuer']}")
            self._screen.note(f"        → {evidence.rebuilt[-1]['issuer']}")
        with self._step("broken?", "the same credentials are tried again"):
            evidence.after = judge.verdicts(evidence.asked)
        self._tell_verdicts(evidence.after)
        names = {short_id(cluster).lower() for cluster in clusters}
        hit = [claim for claim in evidence.asked if claim.cluster.lower() in names]
        if any(evidence.after[claim].answer is not Answer.REFUSED for claim in hit):
            raise _ProvesNothing("not every credential of the cluster was refused after the rebuild")

    def _repair(self, evidence: Evidence, timeout: timedelta) -> None:
        rebuilt_at, deadline = self._here.clock(), self._here.clock() + timeout
        app, judge, watch = _App(evidence.stack), Judge(operator_of(evidence.stack)), Watch()
        with self._step("repair", "Event Grid tells the app, which looks, repairs and proves") as update:
            while self._here.clock() < deadline:
                if evidence.delivery is None:
                    evidence.delivery = self._delivery()
                if (status := app.status()) is not None:
                    evidence.status = status
                    for line in watch.news(status):
                        self._screen.note(f"  {line}")
                    update("; ".join(f"{one['target']} {state_of(one)}" for one in status["targets"]))
                    if evidence.delivery and settled_well(status, rebuilt_at):
                        evidence.now = judge.verdicts(evidence.asked)
                        if all(verdict.answer is Answer.ACCEPTED for verdict in evidence.now.values()):
                            return
                self._here.pause(POLL)
        self._screen.note(f"  not settled within {timeout.total_seconds():.0f} s", Style.BAD)
        evidence.now = judge.verdicts(evidence.asked)
        if evidence.delivery is None:
            raise _ProvesNothing("no event reached the app")

    def _delivery(self) -> Mapping[str, Any] | None:
        """The first event that the app took, as the sandbox's Event Grid saw it."""
        with suppress(ControlError, OSError):  # the next look asks again
            control = Control.from_dir(self._directory)
            taken = next((one for one in control.deliveries() if one["state"] == "delivered"), None)
            if taken is not None:
                names = {one["name"]: one["endpoint"] for one in control.subscriptions()}
                self._screen.note(
                    f"  Event Grid: POST {names[taken['subscription']]} → {taken['lastStatus']} "
                    f"(subscription {taken['subscription']}, attempt {taken['attempts']}, "
                    f"event {taken['eventId']})"
                )
                return {**taken, "endpoint": names[taken["subscription"]]}
        return None

    def _tell_verdicts(self, found: Mapping[Claim, Verdict]) -> None:
        counted = Counter(map(str, found.values()))
        said = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        self._screen.note(f"  {said}")

    @contextmanager
    def _step(self, name: str, does: str) -> Iterator[Callable[[str], None]]:
        with self._screen.waiting(f"{name}: {does}") as update:
            yield update


class _App:
    """The app as any holder of its function key sees it."""

    def __init__(self, running: Stack) -> None:
        self._url = f"{running.environment['RECONVERGE_APP_URL']}/api/status"
        self._key = running.environment["RECONVERGE_APP_KEY"]

    def status(self) -> Status | None:
        """None while it does not answer; the drill's timeout ends that."""
        with requests.Session() as session, suppress(requests.RequestException):
            session.trust_env = False
            answer = session.get(self._url, headers={"x-functions-key": self._key}, timeout=ANSWER_SECONDS)
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


def show(screen: Screen, evidence: Evidence, *, seconds: float) -> None:
    rows = [_row(claim, evidence) for claim in evidence.asked]
    if screen.as_json:
        screen.document(
            {
                "verdict": evidence.code.says,
                "provesNothing": evidence.proves_nothing or None,
                "seconds": round(seconds, 1),
                "rebuilt": evidence.rebuilt,
                "delivery": evidence.delivery,
                "credentials": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
                "targets": evidence.status["targets"] if evidence.status else [],
                "processes": [{"name": one.name, "pid": one.pid} for one in evidence.stack.children],
                "addresses": [
                    evidence.stack.environment[name] for name in ("SANDBOX_URL", "RECONVERGE_APP_URL")
                ],
            }
        )
        return
    screen.table([name.replace("_", " ") for name in COLUMNS], rows)
    screen.say()
    screen.say(*_closing(evidence, seconds))


COLUMNS: Final = ("environment", "identity", "credential", "before", "after_rebuild", "now", "changed_by")


def _row(claim: Claim, evidence: Evidence) -> tuple[str, ...]:
    arm_id = f"{claim.identity}/federatedIdentityCredentials/{claim.credential}"
    return (
        claim.environment,
        short_id(claim.identity),
        claim.credential,
        *(str(found.get(claim, "")) for found in (evidence.before, evidence.after, evidence.now)),
        changed_by(evidence.status, arm_id) if evidence.status else "",
    )


def _closing(evidence: Evidence, seconds: float) -> tuple[str, Style]:
    works = sum(verdict.answer is Answer.ACCEPTED for verdict in evidence.now.values())
    told = f"{works} of {len(evidence.asked)} declared credentials work, tried from outside; {seconds:.0f} s"
    if evidence.proves_nothing:
        return f"NO VERDICT: {evidence.proves_nothing}; {told}", Style.BAD
    if evidence.code is Exit.CONVERGED:
        return f"CONVERGED: {told}", Style.GOOD
    return f"NOT CONVERGED: {told}", Style.BAD
