"""Automated sync: whether an Application that is out of sync is brought into it without being asked.

https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automated-sync-semantics
"""

from dataclasses import dataclass
from typing import Any, Final

from sandbox.argo_comparison import OUT_OF_SYNC, Comparison
from sandbox.argo_sync import ERROR, FAILED, SUCCEEDED
from sandbox.kubernetes_objects import Object

_RETRIES: Final = 5
"""Where the Application's policy says nothing else. Argo CD's own number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    operation: dict[str, Any] | None = None
    """To be begun."""
    error: str | None = None
    """Why not, where that is worth a SyncError."""


def decide(application: Object, found: Comparison) -> Decision:
    """Nothing is begun where the state is unknown, where an operation waits or runs, and where the last one
    was about the same commit: failed, it would fail again; successful, only self-healing would repeat it.
    """
    policy = application["spec"].get("syncPolicy") or {}
    if policy.get("automated") is None or found.sync != OUT_OF_SYNC or application.get("operation"):
        return Decision()
    state = (application.get("status") or {}).get("operationState") or {}
    if (state.get("syncResult") or {}).get("revision") == found.commit:
        if state["phase"] in (FAILED, ERROR):
            return Decision(error=f"Failed last sync attempt to [{found.commit}]: {state['message']}")
        if state["phase"] == SUCCEEDED:
            return Decision()
    return Decision(
        operation={
            "initiatedBy": {"automated": True},
            "retry": policy.get("retry") or {"limit": _RETRIES},
            "sync": {"revision": found.commit, "syncOptions": policy.get("syncOptions") or []},
        }
    )
