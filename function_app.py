"""Triggers, nothing else: authenticate, normalise, queue, answer.

Importing this module must stay nearly as cheap as importing azure.functions: whatever needs an SDK, the
landscape or the store is imported by the first invocation that needs it (bench/import_time.py holds that).
"""

import functools
import uuid

# The worker library refuses func.Out[list[str]].
from typing import TYPE_CHECKING, List  # noqa: UP035

import azure.functions as func

from shared import signals
from shared.clients.functions import accept_any_event, plain
from shared.model import utc_now

if TYPE_CHECKING:
    from responders.desk import Desk
    from responders.service import Service

STORAGE = "AzureWebJobsStorage"

accept_any_event()
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@functools.cache
def service() -> "Service":
    import os

    from responders.service import Service
    from shared.settings import Settings

    return Service.from_settings(Settings.from_environment(os.environ))


@functools.cache
def desk() -> "Desk":
    from responders.desk import Desk

    return Desk(service)


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="queue", queue_name=signals.QUEUE, connection=STORAGE)
def arm_event(event: func.EventGridEvent, queue: func.Out[str]) -> None:
    """Every event is acknowledged once it is on the queue, readable or not."""
    queue.set(signals.to_message(signals.from_event(plain(event))))


@app.queue_trigger(arg_name="msg", queue_name=signals.QUEUE, connection=STORAGE)
def route_signal(msg: func.QueueMessage) -> None:
    """Signals of ours, and raw events that Event Grid put here by itself."""
    service().route(msg.get_body())


@app.queue_trigger(arg_name="msg", queue_name="targets", connection=STORAGE)
def run_target(msg: func.QueueMessage) -> None:
    service().run(msg.get_body())


@app.queue_trigger(arg_name="msg", queue_name=f"{signals.QUEUE}-poison", connection=STORAGE)
def bury_signal(msg: func.QueueMessage) -> None:
    service().bury(signals.QUEUE, msg.get_body())


@app.queue_trigger(arg_name="msg", queue_name="targets-poison", connection=STORAGE)
def bury_target(msg: func.QueueMessage) -> None:
    service().bury("targets", msg.get_body())


@app.timer_trigger(arg_name="timer", schedule="%RECONVERGE_SWEEP%")
@app.queue_output(arg_name="queue", queue_name=signals.QUEUE, connection=STORAGE)
def sweep(timer: func.TimerRequest, queue: func.Out[str]) -> None:  # noqa: ARG001 (the binding's name)
    """The guarantee behind all events: every target is looked at, whatever was lost."""
    from responders.service import sweep_message

    queue.set(sweep_message(utc_now))


@app.route(route="run", methods=["POST"])
@app.queue_output(arg_name="queue", queue_name=signals.QUEUE, connection=STORAGE)
def run(req: func.HttpRequest, queue: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006 (see above)
    """202 accepted · 400 unreadable · 404 unknown target · 413 too large."""
    answer, messages = desk().run(req.get_body(), str(uuid.uuid4()))
    if messages:
        queue.set(messages)
    return _response(answer)


@functools.cache
def argocd_tokens() -> tuple[str, ...]:
    import os

    from shared import settings

    return settings.argocd_tokens(os.environ)


# GET as well: Argo CD sends it where a template lacks a webhook block, and must be told so rather than 404.
@app.route(route="argocd", methods=["POST", "GET"])
@app.queue_output(arg_name="queue", queue_name=signals.QUEUE, connection=STORAGE)
def argocd_webhook(req: func.HttpRequest, queue: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    """202 accepted, readable or not · 401 unknown sender · 405 no POST · 503 no token is set."""
    from shared import argocd_webhook as webhook

    answer, messages = webhook.answer(req.method, req.headers, req.get_body(), argocd_tokens)
    if messages:
        queue.set(messages)
    return _response(answer)


@app.route(route="status", methods=["GET"])
def status(req: func.HttpRequest) -> func.HttpResponse:
    """200 · 400 for a filter that cannot be read · 404 unknown environment."""
    return _response(desk().status(req.params))


@app.route(route="plans/{digest}/approve", methods=["POST"])
def approve(req: func.HttpRequest) -> func.HttpResponse:
    """200 approved · 404 unknown plan · 409 the facts have changed since · 503 could not tell."""
    return _response(desk().approve(req.route_params["digest"], req.headers))


@app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 (the binding's name)
    """200 ready · 503 not; says which part, and nothing about it."""
    return _response(desk().health())


def _response(answer: "Answer") -> func.HttpResponse:
    return func.HttpResponse(
        answer.body, status_code=answer.status, mimetype=answer.mimetype, headers=answer.headers
    )


if TYPE_CHECKING:
    from shared.answers import Answer
