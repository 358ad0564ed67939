"""The one exception of ARM's rules; the router turns it into ARM's error envelope."""

from collections.abc import Mapping


class ArmError(Exception):
    """A refusal as ARM words it."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        return {"error": {"code": self.code, "message": self.message}}
