"""The app's and the host's log on standard output: a JSON object per line, or plain lines on a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime

from azure_functions_runtime import invocation_id_cv  # type: ignore[import-untyped]  # ships no types

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """`{time, level, logger, message}`, the record's extra fields, and the invocation it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if invocation := invocation_id_cv.get():
            line["invocation_id"] = invocation
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure() -> None:
    handler = logging.StreamHandler(sys.stdout)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(plain if sys.stdout.isatty() else JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The SDKs log each request with its URL, and the runtime each index with the app's settings.
    logging.getLogger("azure").setLevel(logging.WARNING)
