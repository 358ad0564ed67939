"""The adapter to `azure-functions-runtime`, the library that Azure itself runs Python 3.13 apps on.

Its in-process API is not a documented one, hence the exact pin of 1.3.0. It keeps its index in module
globals: one app per process.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as vendor  # type: ignore[import-untyped]  # ships no types
from azure_functions_runtime.bindings.datumdef import Datum  # type: ignore[import-untyped]  # the same
from azure_functions_runtime.native_invocation import (  # type: ignore[import-untyped]  # the same
    invocation_request_native,
)

from sandbox.host.errors import HostError

__all__ = ["Datum", "Indexed", "Returned", "index", "invoke"]


@dataclass(frozen=True, slots=True)
class Indexed:
    """One function of the app, as the runtime reports it."""

    name: str
    id: str
    raw_bindings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """What a function handed back. `value` and the outputs are Datums, `value` None without `$return`."""

    value: Any
    outputs: Mapping[str, Any]


class InvocationError(Exception):
    """The function raised, or its result fits no binding. The runtime has logged the traceback."""


async def index(app: Path) -> list[Indexed]:
    """Import the app and index its functions. Raises HostError with the runtime's own explanation.

    Changes the working directory and `sys.path`, as the worker does.
    """
    # Without the file the runtime would report an app of the v1 model, with no functions and no error.
    if not (app / "function_app.py").exists():
        raise HostError(f"{app} holds no function_app.py")
    sys.path.insert(0, str(app))
    os.chdir(app)
    vendor.start_threadpool_executor()
    init = await vendor.worker_init_request(_request(app))
    if init.result.status != _Status.Failure:
        answer = await vendor.functions_metadata_request(_request(app))
        functions = [
            Indexed(entry.name, entry.function_id, tuple(entry.raw_bindings))
            for entry in answer.function_metadata_results or ()
        ]
        if functions:
            return functions
        raise HostError(f"{app / 'function_app.py'} declares no functions")
    raise HostError(f"the app cannot be indexed: {init.result.exception.message}")


async def invoke(
    invocation_id: str, function_id: str, parameter: str, data: Datum, metadata: Mapping[str, Datum]
) -> Returned:
    """Run a function once with its trigger's data. Raises InvocationError.

    An async function runs in the caller's task; a sync one in the runtime's thread pool.
    """
    succeeded, value, outputs, error, _ = await invocation_request_native(
        invocation_id, function_id, [(parameter, data)], dict(metadata)
    )
    if not succeeded:
        raise InvocationError(error)
    return Returned(value, dict(outputs))


class _Status(SimpleNamespace):
    Failure = 0
    Success = 1


class _BindingInfo(SimpleNamespace):
    """The runtime compares a binding's direction with these and its data type with `undefined`."""

    inout = 2
    out = 1
    undefined = 0


# The messages of the worker's gRPC contract, of which the runtime only sets and reads attributes.
_PROTOS = SimpleNamespace(
    StatusResult=_Status,
    BindingInfo=_BindingInfo,
    **dict.fromkeys(
        (
            "FunctionMetadataResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        ),
        SimpleNamespace,
    ),
)


def _request(app: Path) -> SimpleNamespace:
    init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
    return SimpleNamespace(
        request=SimpleNamespace(worker_init_request=init),
        properties={"host": "127.0.0.1", "protos": _PROTOS},
    )
