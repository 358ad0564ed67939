"""The calls of a run that finds nothing wrong, against the floor: what must be read at all, each once.

Counted by the sandbox, which logs every call that reaches it. Tokens are counted apart: a process gets one
and keeps it for hours.
"""

from collections import Counter
from typing import Final

from bench.declared import TARGET
from bench.loopback import IDENTITIES, Loopback, Runs, running
from bench.measure import Line
from shared.landscape import Environment

TARGET_RATIO: Final = 1.0


def lines() -> list[Line]:
    with running() as cloud:
        return [of_healthy_run(cloud)]


def of_healthy_run(cloud: Loopback) -> Line:
    runs = Runs(cloud)
    cloud.forget()
    outcome = runs.run()
    if outcome.word != "converged":
        raise RuntimeError(f"{TARGET} is not healthy: {outcome.because}")
    made = cloud.requests("arm")
    floor = _floor(cloud.landscape.environments[TARGET.environment])
    surplus = Counter(made) - Counter(floor)
    others = sum(len(cloud.requests(service)) for service in ("identity", "entra", "issuer", "kubernetes"))
    return Line(
        what=f"calls of a healthy run, {IDENTITIES} identities",
        measured=f"{len(made)} calls",
        against=f"1 GET per cluster, 1 GET and 1 LIST per identity: {len(floor)}",
        ratio=len(made) / len(floor),
        target=TARGET_RATIO,
        note=f"{_told(surplus)}; {others} calls to other services",
    )


def _floor(environment: Environment) -> list[tuple[str, str]]:
    clusters = [cluster.id.lower() for cluster in environment.clusters]
    identities = [identity.id.lower() for identity in environment.identities]
    lists = [f"{identity}/federatedidentitycredentials" for identity in identities]
    return [("GET", path) for path in (*clusters, *identities, *lists)]


def _told(surplus: Counter[tuple[str, str]]) -> str:
    if not surplus:
        return "exactly the floor's"
    return "beyond the floor: " + ", ".join(f"{method} {path}" for method, path in surplus)
