"""An app with one function per rule of the host. What it saw goes to the queue `%SEEN%`, as JSON."""

# ruff: noqa: ARG001 (bindings are parameters, wanted or not)

import asyncio
import json
import logging
import os
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

STORAGE = "AzureWebJobsStorage"
TOGETHER = asyncio.Barrier(8)
"""None of eight runs ends before the last has begun."""


@app.route("echo/{first}/{second?}")
def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route_params": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", status_code=201)


@app.route("echo/fixed/word", methods=["GET"])
def fixed(req: func.HttpRequest) -> str:
    return "fixed"


@app.route("raises")
def raises(req: func.HttpRequest) -> str:
    raise RuntimeError("not for callers")


@app.route("nothing")
def nothing(req: func.HttpRequest) -> str:
    return None


@app.route("cookies")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("", status_code=202, headers={"Set-Cookie": "a=1; Path=/; HttpOnly"})


@app.route("guarded", auth_level=func.AuthLevel.FUNCTION)
def guarded(req: func.HttpRequest) -> str:
    return "in"


@app.route("admins", auth_level=func.AuthLevel.ADMIN)
def admins(req: func.HttpRequest) -> str:
    return "in"


@app.route("slow/{seconds}", methods=["POST"])
async def slow(req: func.HttpRequest) -> str:
    await asyncio.sleep(float(req.route_params["seconds"]))
    return "done"


@app.route("logs")
def logs(req: func.HttpRequest) -> str:
    logging.getLogger("app").warning("app.said", extra={"colour": "green"})
    return "said"


@app.route("outputs/{ending}", methods=["POST"])
@app.queue_output("out", "%SEEN%", STORAGE)
def outputs(req: func.HttpRequest, out: func.Out[str]) -> str:
    out.set(json.loads(req.get_body()))
    if req.route_params["ending"] == "raise":
        raise RuntimeError("after setting its output")
    return "sent"


@app.event_grid_trigger("event")
@app.queue_output("out", "%SEEN%", STORAGE)
async def arm_event(event: func.EventGridEvent, out: func.Out[str]) -> None:
    if event.subject == "/raise":
        raise RuntimeError("cannot take it")
    if event.subject == "/together":
        await TOGETHER.wait()
    kind = type(event).__name__
    out.set(json.dumps({"class": kind, "id": event.id, "subject": event.subject}))


@app.queue_trigger("message", "%WORK%", STORAGE)
@app.queue_output("out", "%SEEN%", STORAGE)
async def work(message: func.QueueMessage, out: func.Out[str]) -> None:
    body = message.get_body().decode()
    if body.startswith("fail"):
        raise RuntimeError("as asked")
    if body.startswith("sleep"):
        await asyncio.sleep(float(body.split()[1]))
    out.set(
        json.dumps(
            {
                "body": body,
                "id": message.id,
                "dequeue_count": message.dequeue_count,
                "inserted": message.insertion_time.isoformat(),
                "at": time.time(),
            }
        )
    )


@app.queue_trigger("message", "%WORK%-poison", STORAGE)
@app.queue_output("out", "%SEEN%", STORAGE)
def bury(message: func.QueueMessage, out: func.Out[str]) -> None:
    out.set(json.dumps({"buried": message.get_body().decode()}))


@app.timer_trigger("timer", "%TICK%", run_on_startup=False)
@app.queue_output("out", "%SEEN%", STORAGE)
def tick(timer: func.TimerRequest, out: func.Out[str]) -> None:
    out.set(json.dumps({"tick": os.environ.get("HOST_NAME", ""), "past_due": timer.past_due}))


@app.timer_trigger("timer", "0 0 0 1 1 *", run_on_startup=True)
@app.queue_output("out", "%SEEN%", STORAGE)
def at_start(timer: func.TimerRequest, out: func.Out[str]) -> None:
    out.set(json.dumps({"at_start": timer.past_due, "next": timer.schedule_status.get("Next")}))
