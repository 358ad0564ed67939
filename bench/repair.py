"""Repairing every credential of several identities, against the least time that the schedule allows.

The schedule: read everything side by side (one latency), write the credentials of each identity one after
the other and the identities side by side (one latency each), read everything again (one latency). The
sandbox makes every ARM call take LATENCY longer than its own work; nothing else is waited for: pacing is off,
reading back is the proof, and clients, connections and tokens are warm, as in any but a process's first run.

The sandbox is one Python process and our client another, on as few cores as there are. What their computing
adds in any case is shown by the plainest client that keeps the schedule: ready requests on open connections,
answers read and dropped.
"""

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final
from urllib.parse import urlsplit

from bench.declared import TARGET
from bench.loopback import CREDENTIALS, IDENTITIES, Loopback, Runs, operator_token, running
from bench.measure import Line, Timed, ms, race
from shared.landscape import Environment

LATENCY: Final = 0.05
"""Seconds."""
BOUND: Final = (1 + CREDENTIALS + 1) * LATENCY
TARGET_RATIO: Final = 1.2
ROUNDS: Final = 7


def lines() -> list[Line]:
    with running() as cloud, plain_client(cloud) as plain:
        cloud.control.turn(arm_latency=LATENCY)
        plain()
        result = race(_ours(cloud), plain, rounds=ROUNDS)
    what = f"repair of {IDENTITIES} identities × {CREDENTIALS}"
    bound = f"{1 + CREDENTIALS + 1} latencies of {ms(LATENCY)}: {ms(BOUND)}"
    return [
        Line(
            what=what,
            measured=ms(result.one),
            against=bound,
            ratio=result.one / BOUND,
            target=TARGET_RATIO,
            note=f"fastest round {ms(result.fastest)}",
        ),
        Line(
            what=what,
            measured=ms(result.one),
            against=f"the plainest client: {ms(result.other)}",
            ratio=result.ratio,
        ),
        Line(
            what="the plainest client",
            measured=ms(result.other),
            against=bound,
            ratio=result.other / BOUND,
        ),
    ]


def _ours(cloud: Loopback) -> Timed:
    def run() -> float:
        # A new issuer makes all credentials stale at once.
        cloud.control.recreate(cloud.told["clusters"][0])
        runs = Runs(cloud)
        begun = time.perf_counter()
        outcome = runs.run()
        taken = time.perf_counter() - begun
        repaired = len(runs.reports[0].applied.done)
        if outcome.word != "repaired" or repaired != IDENTITIES * CREDENTIALS:
            raise RuntimeError(f"{TARGET} ended {outcome.word} with {repaired} repairs: {outcome.because}")
        return taken

    return run


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: bytes | None = None


@contextmanager
def plain_client(cloud: Loopback) -> Iterator[Timed]:
    """The same calls in the same order, without anything else."""
    environment = cloud.landscape.environments[TARGET.environment]
    reads, writes = _reads(environment), _writes(environment)
    token = operator_token(cloud.told)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    context = ssl.create_default_context(cafile=cloud.told["ca"])
    connections: SimpleQueue[http.client.HTTPSConnection] = SimpleQueue()
    opened = [
        http.client.HTTPSConnection(urlsplit(cloud.told["cloud"]).netloc, context=context, timeout=30)
        for _ in reads
    ]

    def send(requests: list[Request]) -> None:
        connection = connections.get()
        for request in requests:
            connection.request(request.method, request.path, request.body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{request.method} {request.path} answered {answer.status}")
        connections.put(connection)

    with ThreadPoolExecutor(len(reads)) as pool:
        for connection in opened:
            connection.connect()
            connections.put(connection)

        def run() -> float:
            begun = time.perf_counter()
            for phase in (reads, writes, reads):
                list(pool.map(send, phase))
            return time.perf_counter() - begun

        yield run
    for connection in opened:
        connection.close()


def _reads(environment: Environment) -> list[list[Request]]:
    version = "api-version=2024-11-30"
    return [
        *([Request("GET", f"{cluster.id}?{version}")] for cluster in environment.clusters),
        *([Request("GET", f"{one.id}?{version}")] for one in environment.identities),
        *(
            [Request("GET", f"{one.id}/federatedIdentityCredentials?{version}")]
            for one in environment.identities
        ),
    ]


def _writes(environment: Environment) -> list[list[Request]]:
    return [
        [
            Request(
                "PUT",
                f"{one.id}/federatedIdentityCredentials/{declared.name}?api-version=2024-11-30",
                json.dumps(
                    {
                        "properties": {
                            "issuer": "https://127.0.0.1:1/plain/",
                            "subject": declared.subject,
                            "audiences": [declared.audience],
                        }
                    }
                ).encode(),
            )
            for declared in one.credentials
        ]
        for one in environment.identities
    ]
