"""A repository with a workflow in it, and what the workflow does."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.forge_records import Dispatch
from tests.sandbox.github.served import PATIENCE, Place, Served

FILE = "apply.yaml"
PATH = f".github/workflows/{FILE}"
TEXT = """\
name: Apply
on:
  workflow_dispatch:
    inputs:
      environment: {type: choice, options: [dev, prod], required: true}
      note: {default: none}
"""


@dataclass
class Job:
    """Notes what it is given."""

    succeeds: bool = True
    breaks: bool = False
    waits: bool = False
    inputs: list[Mapping[str, str]] = field(default_factory=list)
    _going: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, dispatch: Dispatch) -> bool:
        self.inputs.append(dispatch.inputs)
        if self.waits:
            await self._going.wait()
        if self.breaks:
            raise RuntimeError("the job broke")
        return self.succeeds

    def go(self, served: Served) -> None:
        served.loop.call_soon_threadsafe(self._going.set)


def with_workflow(served: Served, job: Job) -> Place:
    place = served.lay({PATH: TEXT, ".github/workflows/on-push.yaml": "on: push\n"})
    served.forge.add_workflow(place.name, FILE, job.run)
    served.forge.add_workflow(place.name, "on-push.yaml", job.run)
    return place


def ended(place: Place, count: int) -> list[dict[str, Any]]:
    """The workflow's runs, newest first, once so many are completed."""
    deadline = time.monotonic() + PATIENCE
    while True:
        shown = list(place.ask("GET", f"actions/workflows/{FILE}/runs").json()["workflow_runs"])
        if [one["status"] for one in shown].count("completed") >= count:
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
