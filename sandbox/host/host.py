"""Puts the parts together: index, listen, say so, drain."""

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.host import runtime
from sandbox.host.admin import Admin
from sandbox.host.bindings import Function, QueueTrigger, TimerTrigger, read_function
from sandbox.host.errors import HostError
from sandbox.host.eventgrid import EventGridWebhook
from sandbox.host.executor import Executor
from sandbox.host.http import HttpFunctions
from sandbox.host.keys import Keys
from sandbox.host.queues import QueueListener
from sandbox.host.server import Dispatcher, listen
from sandbox.host.settings import HostJson, load_local_settings
from sandbox.host.storage import Storage
from sandbox.host.timers import TimerListener
from sandbox.host.wakeups import Wakeups

log = logging.getLogger("host")

# Where functionTimeout is unbounded, a drain is not.
_LONGEST_DRAIN_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    app: Path
    ready: Path
    """Written once the host listens: `{"pid", "url", "functions"}`."""
    port: int


async def serve(options: Options, stop: asyncio.Event) -> None:
    """Serve the app until `stop` is set, then finish what runs. Raises HostError when it cannot start."""
    options.ready.unlink(missing_ok=True)
    os.environ.update(load_local_settings(options.app, os.environ))
    settings = os.environ
    host_json = HostJson.read(options.app)
    keys = _keys(settings)
    functions = [
        read_function(entry.name, entry.id, map(json.loads, entry.raw_bindings), settings)
        for entry in await runtime.index(options.app)
    ]
    async with Storage(settings, base64_messages=host_json.queues.base64) as storage:
        wakeups = Wakeups()
        executor = Executor(storage, wakeups, host_json.function_timeout)
        host_id = _host_id(options.app, settings)
        _require_outputs(functions, storage)
        listeners: list[QueueListener | TimerListener] = [
            *_queue_listeners(functions, executor, storage, host_json, wakeups),
            *_timer_listeners(functions, executor, storage, host_id),
        ]
        prefix = host_json.route_prefix
        admin = Admin(functions, host_id=host_id, prefix=prefix, keys=keys, executor=executor)
        dispatcher = Dispatcher(
            admin,
            EventGridWebhook(functions, keys, executor),
            HttpFunctions(functions, prefix, keys, executor),
        )
        timeout = host_json.function_timeout
        runner, url = await listen(
            dispatcher, options.port, timeout.total_seconds() if timeout else _LONGEST_DRAIN_SECONDS
        )
        async with asyncio.TaskGroup() as tasks:
            for listener in listeners:
                tasks.create_task(listener.run())
            _announce(options.ready, url, functions)
            await stop.wait()
            log.info("host.draining")
            for listener in listeners:
                listener.stop()
            await runner.cleanup()
            await admin.finish()
    log.info("host.stopped")


def _keys(settings: Mapping[str, str]) -> Keys:
    path = settings.get("RECONVERGE_HOST_KEYS")
    if path is None:
        raise HostError("set RECONVERGE_HOST_KEYS to the file that holds, or shall hold, the app's keys")
    return Keys.load_or_create(Path(path))


def _require_outputs(functions: list[Function], storage: Storage) -> None:
    """Raises HostError now rather than at the first write when an output's connection is not set."""
    for function in functions:
        for output in function.outputs.values():
            storage.queue(output.connection, output.queue)


def _queue_listeners(
    functions: list[Function], executor: Executor, storage: Storage, host_json: HostJson, wakeups: Wakeups
) -> list[QueueListener]:
    return [
        QueueListener(
            function,
            function.trigger,
            executor=executor,
            storage=storage,
            options=host_json.queues,
            wakeups=wakeups,
        )
        for function in functions
        if isinstance(function.trigger, QueueTrigger)
    ]


def _timer_listeners(
    functions: list[Function], executor: Executor, storage: Storage, host_id: str
) -> list[TimerListener]:
    return [
        TimerListener(
            function,
            function.trigger,
            executor=executor,
            container=storage.host_container(),
            host_id=host_id,
        )
        for function in functions
        if isinstance(function.trigger, TimerTrigger)
    ]


def _host_id(app: Path, settings: Mapping[str, str]) -> str:
    """Hosts that share it share locks and schedule status. By default the folder of the app decides."""
    digest = hashlib.sha256(str(app).encode()).hexdigest()[:16]
    return settings.get("AzureFunctionsWebHost__hostid", f"loopback-{digest}")


def _announce(ready: Path, url: str, functions: list[Function]) -> None:
    names = sorted(function.name for function in functions)
    part = ready.with_name(ready.name + ".part")
    part.write_text(json.dumps({"pid": os.getpid(), "url": url, "functions": names}), encoding="utf-8")
    part.replace(ready)
    log.info("host.ready", extra={"url": url, "functions": names})
