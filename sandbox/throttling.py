"""The rates of the user-assigned-identity REST API, as token buckets.

Requests per second for the tenant, the subscription and one resource:
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
That page gives the rates for identities; that credentials count against them is our reading.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from sandbox.arm_errors import ArmError


@dataclass(frozen=True, slots=True)
class Rates:
    tenant: float
    subscription: float
    resource: float


RATES = {
    "create-or-update": Rates(10, 2, 0.25),
    "get": Rates(30, 10, 0.5),
    "list": Rates(15, 5, 0.25),
    "delete": Rates(10, 2, 0.25),
}


@dataclass(slots=True)
class _Bucket:
    rate: float
    level: float
    since: datetime

    def wait(self, now: datetime) -> float:
        """Seconds until one request fits; refills first."""
        capacity = max(1.0, self.rate)
        self.level = min(capacity, self.level + (now - self.since).total_seconds() * self.rate)
        self.since = now
        return max(0.0, (1 - self.level) / self.rate)


class Throttle:
    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def admit(self, kind: str, identity_id: str, now: datetime) -> None:
        """Count one request of that kind. Raises ArmError 429 with Retry-After, counting nothing."""
        rates = RATES[kind]
        buckets = [
            self._bucket(kind, "tenant", rates.tenant, now),
            self._bucket(kind, "subscription", rates.subscription, now),
            self._bucket(kind, identity_id.lower(), rates.resource, now),
        ]
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > 0:
            raise ArmError(
                429,
                "TooManyRequests",
                f"The request is being throttled: {kind} of the managed identity.",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        for bucket in buckets:
            bucket.level -= 1

    def _bucket(self, kind: str, scope: str, rate: float, now: datetime) -> _Bucket:
        return self._buckets.setdefault((kind, scope), _Bucket(rate, max(1.0, rate), now))
