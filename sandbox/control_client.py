"""A client of the sandbox's controls, for the drill, the command line and tests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from sandbox.control import KEY_HEADER, PREFIX

type Json = dict[str, Any]

PATIENCE = 120.0
"""Seconds. A rebuild of a cluster answers when it has ended."""


class ControlError(Exception):
    """The sandbox refused a control request; the text is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    url: str
    """Base URL of the cloud."""
    key: str = field(repr=False)
    ca: str
    """Path of the authority that the cloud is served under."""

    @classmethod
    def from_dir(cls, directory: Path | str) -> Self:
        """The controls of the cloud that runs in that directory. Raises FileNotFoundError: none does."""
        described = json.loads((Path(directory) / "cloud.json").read_text())
        return cls(url=described["cloud"], key=described["control_key"], ca=described["ca"])

    # -- state ------------------------------------------------------------------------

    def state(self) -> Json:
        """`clusters` with issuer, generation and API server; `identities` with credentials; where the
        `submodule` stands; `dials`.
        """
        return self._ask("GET", "state")

    def recreate(self, cluster: str) -> Json:
        """Delete the cluster (name or ARM id) and build it anew; answers when the new one is up.

        The new build's `issuer`, `generation` and `apiServer`, and `previousIssuer`.
        """
        return self._ask("POST", "recreate", {"cluster": cluster})

    def seal(self, environment: str, *, sealed: bool = True) -> None:
        """Seal the environment's Vault, or unseal it."""
        self._ask("POST", f"vaults/{environment}", {"sealed": sealed})

    def break_submodule(self, commit: str = "forgotten") -> Json:
        """Move the submodule of the GitOps repository to a commit that cannot be fetched: `forgotten` by git
        and not by GitHub's API, or `lost`. Where it stands then: `parent`, `path`, `repository`, `commit`.
        """
        return self._ask("POST", "submodule", {"commit": commit})

    def mend_submodule(self) -> Json:
        """Move it to a commit that everybody can fetch. Answers as `break_submodule`."""
        return self._ask("POST", "submodule", {"commit": "present"})

    def notify(self, url: str, function_key: str) -> None:
        """Let Argo CD's notifications go to that function of the app, in the place of any other."""
        self._ask("POST", "notifications", {"url": url, "functionKey": function_key})

    def variants(self) -> dict[str, str]:
        """One line of each broken state that `break_` knows, by name."""
        return dict(self._ask("GET", "variants")["variants"])

    def break_(self, name: str, environment: str) -> Json:
        """Bring the environment into that broken state: `variant`, `environment`, and what it is `about`."""
        return self._ask("POST", f"variants/{name}", {"environment": environment})

    # -- dials and faults -------------------------------------------------------------

    def dials(self) -> Json:
        return self._ask("GET", "dials")

    def turn(self, **dials: float | bool) -> Json:
        """Set dials of `sandbox.dials.Dials` by name; answers all of them."""
        return self._ask("PATCH", "dials", dials)

    def inject(self, path: str, **fault: Any) -> int:
        """Inject a fault into calls whose path matches; its other fields are those of `faults.Fault`."""
        return int(self._ask("POST", "faults", {"path": path, **fault})["id"])

    def faults(self) -> list[Json]:
        return list(self._ask("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        self._ask("DELETE", "faults")

    # -- requests ---------------------------------------------------------------------

    def requests(self, service: str = "") -> list[Json]:
        """The calls seen, oldest first, of one service (`server` names them) or of all."""
        seen = self._ask("GET", "requests")["requests"]
        return [one for one in seen if service in ("", one["service"])]

    def clear_requests(self) -> None:
        self._ask("DELETE", "requests")

    # -- events -----------------------------------------------------------------------

    def subscribe(self, subscription: Mapping[str, Any]) -> Json:
        """Create or replace an event subscription; the fields are those of `read_subscription`."""
        return self._ask("POST", "event-subscriptions", subscription)

    def subscriptions(self) -> list[Json]:
        return list(self._ask("GET", "event-subscriptions")["subscriptions"])

    def unsubscribe(self, name: str) -> None:
        self._ask("DELETE", f"event-subscriptions/{name}")

    def deliver(self, event: object, subscription: str | None = None) -> int:
        """Deliver anything, as it is and unfiltered, to one subscription or to all. To how many."""
        answer = self._ask("POST", "events", {"event": event, "subscription": subscription})
        return int(answer["deliveries"])

    def deliveries(self) -> list[Json]:
        return list(self._ask("GET", "deliveries")["deliveries"])

    def dead_letters(self) -> list[Json]:
        return list(self._ask("GET", "deliveries")["deadLetters"])

    def _ask(self, method: str, path: str, body: object = None) -> Json:
        with requests.Session() as session:
            # Neither a proxy nor ~/.netrc: a proxy does not know this loopback, and must not see the key.
            session.trust_env = False
            answer = session.request(
                method,
                f"{self.url}{PREFIX}/{path}",
                json=body,
                headers={KEY_HEADER: self.key},
                verify=self.ca,
                timeout=PATIENCE,
            )
        if answer.status_code >= 400:
            raise ControlError(f"{method} {path}: {answer.status_code} {answer.text}")
        return dict(answer.json()) if answer.content else {}
