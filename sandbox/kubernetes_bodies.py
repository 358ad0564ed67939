"""The objects in requests' bodies."""

import json
from typing import Any

from aiohttp import web

from sandbox.kubernetes_errors import bad_request, unsupported_media_type
from sandbox.kubernetes_protobuf import CONTENT_TYPE as PROTOBUF
from sandbox.kubernetes_protobuf import read_token_request

JSON = "application/json"


async def read_object(request: web.Request) -> dict[str, Any]:
    """Raises StatusError: 400 for what is no object, 415 for what is not JSON."""
    if request.content_type not in (JSON, "application/octet-stream", "*/*"):
        raise unsupported_media_type([JSON])
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise bad_request(f"the body of the request cannot be read: {error}") from error
    if not isinstance(body, dict):
        raise bad_request("the body of the request is no object")
    return body


async def read_token_request_body(request: web.Request) -> dict[str, Any]:
    if request.content_type != PROTOBUF:
        return await read_object(request)
    try:
        return read_token_request(await request.read())
    except ValueError as error:
        raise bad_request(f"the TokenRequest cannot be read: {error}") from error
