"""What comes in requests' bodies: objects, patches, and the options of a delete."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sandbox.kubernetes_errors import StatusError, bad_request, unsupported_media_type
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_patches import PatchFailed, json_patched, merged
from sandbox.kubernetes_protobuf import CONTENT_TYPE as PROTOBUF
from sandbox.kubernetes_protobuf import read_message
from sandbox.kubernetes_resources import Resource
from sandbox.kubernetes_strategic import strategically_merged
from sandbox.kubernetes_writes import Changing

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


async def read_object(request: web.Request) -> dict[str, Any]:
    """From JSON or protobuf. Raises StatusError: 400 for what is no object, 415 for other encodings."""
    if request.content_type == PROTOBUF:
        return await _protobuf(request)
    # A body without a type counts as JSON.
    if request.content_type not in (JSON, "application/octet-stream"):
        raise unsupported_media_type([JSON, PROTOBUF])
    return _object(await _json(request))


async def read_applied(request: web.Request) -> Object:
    """The object of a server-side apply, which is YAML. Raises StatusError (400)."""
    try:
        return _object(YAML(typ="safe", pure=True).load((await request.read()).decode()))
    except (YAMLError, UnicodeDecodeError) as error:
        raise bad_request("error decoding YAML") from error


async def read_patch(request: web.Request, resource: Resource) -> Changing:
    """What the patch makes of an object. Raises StatusError: 400, and 415 for a kind of patch not taken.

    The change itself raises StatusError (422) where a JSON patch does not apply.
    """
    match request.content_type:
        case "application/json-patch+json":
            operations = await _json(request)
            if not isinstance(operations, list):
                raise bad_request("a JSON patch is a list of operations")
            return lambda held: _json_patched(held, operations)
        case "application/merge-patch+json":
            patch = _object(await _json(request))
            return lambda held: merged(held, patch)
        case "application/strategic-merge-patch+json" if not resource.custom:
            patch = _object(await _json(request))
            return lambda held: strategically_merged(held, patch)
    accepted = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH, *(() if resource.custom else (STRATEGIC_PATCH,))]
    raise unsupported_media_type(accepted)


def _json_patched(held: Object, operations: list[Mapping[str, Any]]) -> Object:
    try:
        return _object(json_patched(held, operations))
    except PatchFailed as error:
        said = "the server rejected our request due to an error in our request"
        raise StatusError(422, "Invalid", said) from error


async def _protobuf(request: web.Request) -> dict[str, Any]:
    try:
        return read_message(await request.read())
    except ValueError as error:
        raise bad_request(f"the body of the request cannot be read: {error}") from error


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise bad_request("the body of the request is not JSON") from error


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad_request("the body of the request is no object")
    return body
