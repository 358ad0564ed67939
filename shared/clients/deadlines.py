"""A time for an answer as a whole, from its first line on: a socket's timeout begins anew with each byte.

Headers are read within the HTTP library, where nobody can look at a clock; so the clock stands beneath it,
where bytes are read from the socket.
"""

import io
import socket
import time
from collections.abc import Buffer
from typing import TYPE_CHECKING, Any

from shared.clients.importing import IMPORTING

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter


class Timely(io.RawIOBase):
    """What comes from the socket until the time is over; from then on TimeoutError."""

    def __init__(self, source: socket.socket, seconds: float) -> None:
        self._socket = source
        # Holds the socket open for as long as the answer is read, whoever closes the connection.
        self._raw = source.makefile("rb", buffering=0)
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Buffer, /) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        usual = self._socket.gettimeout()
        if usual is None or left < usual:
            self._socket.settimeout(left)
        return self._raw.readinto(memoryview(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


def adapter(seconds: float, connections: int) -> "HTTPAdapter":
    """For a session: no answer takes longer than that, whatever trickles in."""
    from http.client import HTTPResponse

    with IMPORTING:
        from requests.adapters import HTTPAdapter
        from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
        from urllib3.connection import HTTPConnection, HTTPSConnection

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *given: Any, **named: Any) -> None:
            super().__init__(sock, *given, **named)
            self.fp.close()
            self.fp = io.BufferedReader(Timely(sock, seconds))

    class Plain(HTTPConnection):
        response_class = Response

    class Secure(HTTPSConnection):
        response_class = Response

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *given: Any, **named: Any) -> None:
            super().init_poolmanager(*given, **named)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

        def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **named)
            manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
            return manager

    return Adapter(pool_connections=connections, pool_maxsize=connections)
