"""The HTTP desk: reads what people send, answers in JSON. Knows nothing of azure.functions."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from responders import REGISTRY, remedy
from responders.service import Service, request_message
from shared import routing
from shared.answers import Answer, problem, told
from shared.durations import parse_duration
from shared.errors import Misconfigured, PermanentError, Refused, TemporaryError
from shared.model import Source, Target
from shared.status import changes, entries, outcomes, plain_state

LARGEST_BODY: Final = 16 * 1024
DEFAULT_SINCE: Final = timedelta(hours=24)
LONGEST_SINCE: Final = timedelta(days=31)
PRINCIPAL: Final = "x-ms-client-principal-name"
"""Set by App Service authentication, which takes it away from whoever else sends it. Where that is off,
anybody may write any name here.

https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
"""
KEY_HOLDER: Final = "holder of a function key"


class Desk:
    def __init__(self, service: Callable[[], Service]) -> None:
        self._service = service

    def run(self, body: bytes, request_id: str) -> tuple[Answer, list[str]]:
        """The answer, and the messages to put on queue `signals` when it is a 202."""
        return _guarded_run(lambda: self._run(body, request_id))

    def _run(self, body: bytes, request_id: str) -> tuple[Answer, list[str]]:
        subjects = _subjects(body)
        service = self._service()
        landscape = service.landscape
        targets: list[Target] = []
        for subject in subjects:
            try:
                targets.extend(routing.expand(landscape, subject, REGISTRY))
            except KeyError as unknown:
                known = [*landscape.environments, *map(str, routing.every(landscape, REGISTRY))]
                raise Refused(
                    f"{unknown.args[0]} is unknown; known are {', '.join(known)}", status=404
                ) from None
        if not targets:
            raise Refused("every environment named is disabled in the landscape", status=404)
        messages = [
            request_message(Source.HTTP, "requested", subject, request_id, service.clock)
            for subject in subjects
        ]
        said = {"id": request_id, "targets": [str(target) for target in dict.fromkeys(targets)]}
        return told(202, said, {"Location": "/api/status"}), messages

    def status(self, parameters: Mapping[str, str]) -> Answer:
        return _guarded(lambda: self._status(parameters))

    def _status(self, parameters: Mapping[str, str]) -> Answer:
        if unknown := set(parameters) - {"environment", "since", "code"}:
            raise Refused(
                f"unknown parameter {', '.join(sorted(unknown))}; known are environment, since", status=400
            )
        service = self._service()
        try:
            targets = routing.expand(
                service.landscape, parameters.get("environment", routing.EVERYTHING), REGISTRY
            )
        except KeyError as error:
            known = ", ".join(service.landscape.environments)
            raise Refused(f"environment {error.args[0]} is unknown; known are {known}", status=404) from None
        now = service.clock()
        since = _since(parameters.get("since"), now)
        # Before the journal, which a run writes first: no outcome is told without what is journalled of it.
        states = [_state(service, target) for target in targets]
        found = tuple(entries(service.journal, targets, since))
        return told(
            200,
            {
                "at": now.isoformat(),
                "targets": states,
                "disabled": [name for name, one in service.landscape.environments.items() if not one.enabled],
                "since": since.isoformat(),
                "changes": changes(found),
                "outcomes": outcomes(found),
                "droppedToday": dict(service.journal.counts(now)),
                "buried": [
                    {"digest": one.digest, "queue": one.queue, "at": one.at.isoformat()}
                    for one in service.buried.all()
                ],
            },
        )

    def approve(self, digest: str, headers: Mapping[str, str]) -> Answer:
        return _guarded(lambda: self._approve(digest, headers))

    def _approve(self, digest: str, headers: Mapping[str, str]) -> Answer:
        service = self._service()
        by = (headers.get(PRINCIPAL) if service.callers_named else None) or KEY_HOLDER
        plan = service.approve(digest, by)
        return told(
            200,
            {
                "plan": plan.digest,
                "target": str(plan.target),
                "approvedBy": by,
                "count": plan.count,
                "steps": list(plan.steps),
            },
        )

    def health(self) -> Answer:
        parts = {
            "settings": self._settings_ok(),
            "landscape": self._landscape_ok(),
            "storage": self._storage_ok(),
        }
        ready = all(parts.values())
        said = {"ready": ready, "parts": {name: "ok" if ok else "failing" for name, ok in parts.items()}}
        return told(200 if ready else 503, said)

    def _settings_ok(self) -> bool:
        return _works(self._service)

    def _landscape_ok(self) -> bool:
        return _works(lambda: self._service().landscape)

    def _storage_ok(self) -> bool:
        return _works(lambda: self._service().journal.counts(self._service().clock()))


def _state(service: Service, target: Target) -> dict[str, Any]:
    state = service.queue.state(target)
    return plain_state(
        state, remedy=remedy(target.responder, state.reason), steps=_steps(service, state.plan)
    )


def _steps(service: Service, plan: str | None) -> tuple[Mapping[str, Any], ...]:
    """Of a plan that was stored: earlier versions kept none that was only proposed."""
    try:
        return service.plans.find(plan).steps if plan else ()
    except Refused:
        return ()


def _works(part: Callable[[], object]) -> bool:
    try:
        part()
    except (TemporaryError, PermanentError):
        return False
    return True


def _subjects(body: bytes) -> list[str]:
    if len(body) > LARGEST_BODY:
        raise Refused(f"the body has {len(body)} bytes; at most {LARGEST_BODY} are read", status=413)
    if not body.strip():
        return [routing.EVERYTHING]
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(f"the body is not JSON; {EXAMPLE}", status=400) from None
    match request:
        case {} if not request:
            return [routing.EVERYTHING]
        case {"targets": [*targets]} if (
            len(request) == 1 and targets and all(isinstance(t, str) for t in targets)
        ):
            return list(dict.fromkeys(targets))
        case {"environment": str(environment)} if len(request) == 1 and "/" not in environment:
            return [environment]
    raise Refused(f"the body is not understood; {EXAMPLE}", status=400)


EXAMPLE: Final = (
    'send {"targets": ["dev/federated_credentials"]}, {"environment": "dev"}, or no body for everything'
)


def _since(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now - DEFAULT_SINCE
    since = _moment(text, now)
    if since is None or since < now - LONGEST_SINCE:
        raise Refused(
            f"since={text[:40]!r} is not understood; write 90m, 12h, 7d or 2026-11-26T03:00:00Z"
            " (31 days at most)",
            status=400,
        )
    return since


def _moment(text: str, now: datetime) -> datetime | None:
    """A length of time before now, or a moment with its offset. None for anything else."""
    duration = parse_duration(text)
    try:
        if duration is not None:
            return now - duration
        moment = datetime.fromisoformat(text)
        # The journal is read by UTC, where an offset may lead out of the calendar.
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _guarded(work: Callable[[], Answer]) -> Answer:
    return _guarded_run(lambda: (work(), []))[0]


def _guarded_run(work: Callable[[], tuple[Answer, list[str]]]) -> tuple[Answer, list[str]]:
    try:
        return work()
    except Refused as error:
        return problem(error.status, str(error)), []
    except Misconfigured:
        return problem(503, "the settings or the landscape are not usable; run `reconverge doctor`"), []
    except TemporaryError as error:
        seconds = max(1, round(error.delay.total_seconds()))
        return problem(503, str(error), {"Retry-After": str(seconds)}), []
    except PermanentError as error:
        return problem(500, str(error)), []
