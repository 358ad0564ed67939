"""The running app, as any holder of its function key sees it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

import requests

from sandbox.stack import Stack

ANSWER_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class App:
    url: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, running: Stack) -> Self:
        return cls(running.environment["RECONVERGE_APP_URL"], running.environment["RECONVERGE_APP_KEY"])

    def status(self, since: datetime) -> Mapping[str, Any] | None:
        """With what happened from then on; None while it does not answer."""
        with suppress(requests.RequestException):
            answer = self._ask("GET", "status", params={"since": since.isoformat()})
            if answer.status_code == 200:
                found: Mapping[str, Any] = answer.json()
                return found
        return None

    def look_at(self, environment: str) -> None:
        """Raises RequestException where the app does not take it."""
        self._ask("POST", "run", json={"environment": environment}).raise_for_status()

    def _ask(self, method: str, path: str, **request: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                f"{self.url}/api/{path}",
                headers={"x-functions-key": self.key},
                timeout=ANSWER_SECONDS,
                **request,
            )
