"""What a drill or a test may turn while the cloud runs. All times in seconds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from sandbox.inputs import InputError


@dataclass(slots=True, kw_only=True)
class Dials:
    arm_latency: float = 0.0
    """Every ARM call takes this much longer."""
    arm_staleness: float = 0.0
    """ARM reads answer with the state of this long ago."""
    write_seconds: float = 0.05
    """A credential write holds its identity for this long; a second write meanwhile is a conflict."""
    entra_propagation: float = 2.0
    """Entra learns of identities and credentials this long after ARM accepted them. Minutes in reality."""
    rbac_propagation: float = 0.0
    """Key Vault learns of role assignments this long after ARM accepted them. Minutes in reality."""
    provisioning_seconds: float = 0.5
    """Creating, updating or deleting a cluster takes this long. Minutes in reality."""
    throttling: bool = False
    """Hold the documented rates of the managed-identity API, per tenant, subscription and identity."""
    event_hold: bool = False
    """Event Grid takes events in and delivers none, and Argo CD sends no notification, until this is off."""
    cron_seconds: float = 5.0
    """So long is a minute for the cluster's CronJobs."""
    restart_seconds: float = 0.5
    """A container that failed is started again after so long, and up to four times as long if it fails on.
    10 s to 5 minutes in reality."""
    sync_seconds: float = 5.0
    """External Secrets looks at every store and ExternalSecret this often."""
    facts_seconds: float = 1.0
    """Published facts are looked at this often. Minutes in reality, unless a push tells of them."""
    argo_seconds: float = 10.0
    """Argo CD looks at every Application this often, beside what it hears of. Minutes in reality."""
    argo_git_seconds: float = 90.0
    """After so long Argo CD gives up on a call of git."""
    argo_wave_seconds: float = 0.05
    """Argo CD waits this long between two waves of a sync. 2 s in reality."""
    argo_retry_seconds: float = 0.5
    """Argo CD waits this long before it tries a sync again that failed. 5 s and more in reality."""
    event_time_scale: float = 0.01
    """Event Grid's retry schedule and time to live are multiplied by this; 1 is Azure's own."""
    notification_time_scale: float = 0.1
    """The pauses between two tries of a notification of Argo CD are multiplied by this; 1 is its own."""
    workflow_seconds: float = 1.0
    """A run of a GitHub workflow waits and works for this long before it does its work at once."""
    page_size: int = 100
    """ARM lists continue by nextLink after this many."""

    def turn(self, changes: Mapping[str, object]) -> None:
        """Set the named dials, or none of them. Raises InputError naming what is wrong."""
        for name, value in changes.items():
            self._check(name, value)
        for name, value in changes.items():
            setattr(self, name, value)

    def show(self) -> dict[str, float | bool]:
        return asdict(self)

    def _check(self, name: str, value: object) -> None:
        known = [field.name for field in fields(self)]
        if name not in known:
            raise InputError(f"no dial {name!r}; there are {', '.join(known)}")
        if isinstance(getattr(self, name), bool):
            if not isinstance(value, bool):
                raise InputError(f"dial {name} is true or false, not {value!r}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise InputError(f"dial {name} is a number of at least 0, not {value!r}")
        elif name == "page_size" and (not isinstance(value, int) or value < 1):
            raise InputError(f"dial page_size is a whole number of at least 1, not {value!r}")
