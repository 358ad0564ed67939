"""Workflows and their runs, by GitHub's REST API.

https://docs.github.com/rest/actions
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sandbox.forge import Forge
from sandbox.forge_records import Dispatch, Workflow
from sandbox.git_repository import HEADS
from sandbox.github_calls import Call, Endpoint, Json, Needs, wanted
from sandbox.github_errors import GitHubError, not_found
from sandbox.github_shapes import run, workflow

_NO_TRIGGER: Final = "Workflow does not have 'workflow_dispatch' trigger"


class Actions:
    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def endpoints(self) -> list[Endpoint]:
        read: Needs = [("actions", "read")]
        write: Needs = [("actions", "write")]
        docs, runs = "actions/workflows", "actions/workflow-runs"
        one = "/actions/workflows/{workflow}"
        of_workflow = f"{runs}#list-workflow-runs-for-a-workflow"
        dispatch = f"{docs}#create-a-workflow-dispatch-event"
        return [
            Endpoint("GET", "/actions/workflows", read, f"{docs}#list-repository-workflows", self._list),
            Endpoint("GET", one, read, f"{docs}#get-a-workflow", self._get),
            Endpoint("PUT", f"{one}/enable", write, f"{docs}#enable-a-workflow", self._enable),
            Endpoint("PUT", f"{one}/disable", write, f"{docs}#disable-a-workflow", self._disable),
            Endpoint("POST", f"{one}/dispatches", write, dispatch, self._dispatch),
            Endpoint("GET", f"{one}/runs", read, of_workflow, self._runs),
            Endpoint("GET", "/actions/runs/{run}", read, f"{runs}#get-a-workflow-run", self._run),
        ]

    # -- workflows ----------------------------------------------------------------------

    async def _list(self, call: Call) -> web.Response:
        every = list(call.hosted.workflows.values())
        found, headers = call.page(every, lambda one: workflow(call, one, one.file))
        shown = {"total_count": len(every), "workflows": found}
        return web.json_response(shown, headers=headers)

    async def _get(self, call: Call) -> web.Response:
        found = _find(call)
        read = await self._read(call, found, call.hosted.default_branch)
        return web.json_response(workflow(call, found, str(read.get("name") or found.path)))

    async def _enable(self, call: Call) -> web.Response:
        return self._switch(_find(call), enabled=True)

    async def _disable(self, call: Call) -> web.Response:
        return self._switch(_find(call), enabled=False)

    def _switch(self, found: Workflow, *, enabled: bool) -> web.Response:
        found.enabled, found.updated_at = enabled, self._forge.clock()
        return web.Response(status=204)

    async def _read(self, call: Call, found: Workflow, branch: str) -> Mapping[str, Any]:
        """The workflow's file; empty where the branch has none, or none that can be read."""
        text = await self._forge.read(call.hosted.full_name, branch, found.path)
        try:
            read = YAML(typ="safe", pure=True).load(text or "")
        except YAMLError:
            return {}
        return read if isinstance(read, dict) else {}

    # -- runs ---------------------------------------------------------------------------

    async def _dispatch(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event"""
        found, body = _find(call), await call.body()
        ref = wanted(body, "ref").removeprefix(HEADS)
        if not found.enabled:
            raise GitHubError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
        head = (await call.hosted.git.heads()).get(ref)
        if head is None:
            raise GitHubError(422, f"No ref found for: {ref}")
        given = body.get("inputs") or {}
        if not isinstance(given, dict):
            raise GitHubError(
                422, "Invalid request.\n\nFor 'properties/inputs', the inputs are not an object."
            )
        inputs = _inputs(await self._read(call, found, ref), given)
        started = self._forge.start(call.hosted, found, Dispatch(ref, inputs), head, call.login)
        if body.get("return_run_details"):
            shown = run(call, started)
            return web.json_response(
                {"workflow_run_id": started.id, "run_url": shown["url"], "html_url": shown["html_url"]}
            )
        return web.Response(status=204)

    async def _runs(self, call: Call) -> web.Response:
        """Newest first. https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow"""
        found, query = _find(call), call.request.query
        every = [
            one
            for one in reversed(call.hosted.runs)
            if one.workflow is found
            and query.get("event", "workflow_dispatch") == "workflow_dispatch"
            and query.get("branch", one.branch) == one.branch
            and query.get("status", one.status) in (one.status, one.conclusion)
        ]
        shown, headers = call.page(every, lambda one: run(call, one))
        return web.json_response({"total_count": len(every), "workflow_runs": shown}, headers=headers)

    async def _run(self, call: Call) -> web.Response:
        wanted_id = call.given("run")
        found = next((one for one in call.hosted.runs if str(one.id) == wanted_id), None)
        if found is None:
            raise not_found()
        return web.json_response(run(call, found))


def _find(call: Call) -> Workflow:
    """By id, or by the name of its file. Raises GitHubError."""
    asked = call.given("workflow")
    for one in call.hosted.workflows.values():
        if asked in (one.file, str(one.id)):
            return one
    raise not_found()


def _inputs(file: Mapping[str, Any], given: Json) -> dict[str, str]:
    """What the run gets: what is given, over the defaults. Raises GitHubError for what is not taken.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_dispatchinputs
    """
    triggers = file.get("on")
    if triggers == "workflow_dispatch" or (isinstance(triggers, list) and "workflow_dispatch" in triggers):
        triggers = {"workflow_dispatch": None}
    if not isinstance(triggers, dict) or "workflow_dispatch" not in triggers:
        raise GitHubError(422, _NO_TRIGGER)
    declared: Mapping[str, Any] = (triggers["workflow_dispatch"] or {}).get("inputs") or {}
    if unexpected := [name for name in given if name not in declared]:
        raise GitHubError(422, f"Unexpected inputs provided: {json.dumps(unexpected)}")
    inputs: dict[str, str] = {}
    for name, declaration in declared.items():
        about = declaration or {}
        value = given.get(name, about.get("default"))
        if value is None:
            if about.get("required"):
                raise GitHubError(422, f"Required input '{name}' not provided")
            value = ""
        options = about.get("options")
        if options and value not in options:
            raise GitHubError(
                422, f"Provided value '{value}' for input '{name}' not in the list of allowed values"
            )
        inputs[name] = str(value)
    return inputs
