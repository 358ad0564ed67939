"""A lock that one of many hosts holds: a lease on an empty blob, renewed while held.

The host's `SingletonManager` does the same: https://github.com/Azure/azure-webjobs-sdk
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from sandbox.host.storage import error_code

log = logging.getLogger("host.locks")

LEASE_SECONDS: Final = 15
"""The shortest that the service grants, as the host takes in development."""


class BlobLock:
    def __init__(self, container: ContainerClient, name: str, on_lost: Callable[[], None]) -> None:
        self._container = container
        self._name = name
        self._on_lost = on_lost
        self._lease: BlobLeaseClient | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def acquire(self) -> bool:
        """False when another host has it. Raises AzureError when the storage cannot be used."""
        blob = self._container.get_blob_client(self._name)
        await ensure_blob(self._container, self._name)
        try:
            self._lease = await blob.acquire_lease(lease_duration=LEASE_SECONDS)
        except HttpResponseError as error:
            if error_code(error) == "LeaseAlreadyPresent":
                return False
            raise
        self._renewal = asyncio.create_task(self._renew(self._lease))
        return True

    async def release(self) -> None:
        """Let the next host have it at once; a lease that is lost already is no error."""
        if self._renewal is not None:
            self._renewal.cancel()
        if self._lease is not None:
            try:
                await self._lease.release()
            except AzureError as error:
                log.info("lock.unreleased", extra={"lock": self._name, "error": str(error)})

    async def _renew(self, lease: BlobLeaseClient) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await lease.renew()
            except AzureError as error:
                log.warning("lock.lost", extra={"lock": self._name, "error": str(error)})
                self._on_lost()
                return


async def ensure_blob(container: ContainerClient, name: str) -> None:
    """Create the container and an empty blob where they are missing. Raises AzureError."""
    with suppress(ResourceExistsError):
        await container.create_container()
    try:
        await container.upload_blob(name, b"", overwrite=False)
    except HttpResponseError as error:
        # A leased blob refuses the write before its existence is looked at.
        if error_code(error) not in ("BlobAlreadyExists", "LeaseIdMissing"):
            raise
