"""Web applications on free loopback ports."""

import socket
import ssl

from aiohttp import web


def free_socket() -> socket.socket:
    """A listening address on 127.0.0.1, held from now on."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    return bound


def port_of(bound: socket.socket) -> int:
    port: int = bound.getsockname()[1]
    return port


async def serve(
    app: web.Application, bound: socket.socket, context: ssl.SSLContext | None = None
) -> web.AppRunner:
    """Serve the application; `cleanup` on the runner closes it and its connections."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, bound, ssl_context=context).start()
    return runner
