"""Counts what leaves this process: requests and the Kubernetes client both send by urllib3."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import urlsplit

from urllib3.connectionpool import HTTPConnectionPool


class Sent(NamedTuple):
    method: str
    port: int
    path: str
    """In lower case, without its query."""


@contextmanager
def watched() -> Iterator[list[Sent]]:
    """What is sent within the block, in order."""
    sent: list[Sent] = []
    send = HTTPConnectionPool.urlopen

    def urlopen(pool: HTTPConnectionPool, method: str, url: str, *given: Any, **options: Any) -> Any:
        sent.append(Sent(method, pool.port or 0, urlsplit(url).path.lower().rstrip("/")))
        return send(pool, method, url, *given, **options)

    with patch.object(HTTPConnectionPool, "urlopen", urlopen):
        yield sent
