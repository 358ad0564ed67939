"""`python -m sandbox.host --app APPDIR --ready FILE [--port 0]`.

Keys: the JSON file that RECONVERGE_HOST_KEYS names, made when absent.
Settings: the environment, then local.settings.json.
SIGTERM and SIGINT drain: no new work, running functions finish, exit 0. Exit 1 when the app cannot be served.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from sandbox.host import logs
from sandbox.host.errors import HostError
from sandbox.host.host import Options, serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.host", description="Serve a function app.")
    parser.add_argument("--app", type=Path, required=True, help="folder with host.json and function_app.py")
    parser.add_argument("--ready", type=Path, required=True, help="file to write once the host listens")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    given = parser.parse_args()
    logs.configure()
    options = Options(app=given.app.resolve(), ready=given.ready.resolve(), port=given.port)
    try:
        asyncio.run(_until_signalled(options))
    except HostError as error:
        print(f"host: {error}", file=sys.stderr)  # noqa: T201 (for whoever started it)
        return 1
    return 0


async def _until_signalled(options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(options, stop)


if __name__ == "__main__":
    sys.exit(main())
