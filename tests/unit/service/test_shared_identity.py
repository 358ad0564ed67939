"""Two environments that hold credentials on one identity, and the pace of writes under it."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

from shared.journal import Kind
from shared.leases import SKEW, TTL, Leases
from shared.model import Target
from shared.steps import _lease_key
from shared.workqueue import to_message
from tests.unit.app import DEV, PROD, App, contract, environment, rebuilt
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import IDENTITY, LIVE, SUBJECT, declared
from tests.unit.platform import PUT

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
PACE = 4 * SECOND
OTHER = f"{IDENTITY}-of-dns"
A_WHILE = 20.0
"""Seconds of real time after which a thread that waits for another gives up."""


def of_dev_and_prod(count: int = 1, pace: timedelta = timedelta(0)) -> App:
    """dev and prod, each with as many stale credentials on the one identity."""
    return rebuilt(
        *(
            environment(
                {
                    IDENTITY: tuple(
                        declared(f"{name}-{n}", subject=f"{SUBJECT}-{name}-{n}") for n in range(count)
                    )
                },
                name=name,
                contract=contract(pace=pace),
            )
            for name in ("dev", "prod")
        )
    )


def want(app: App, *targets: Target) -> None:
    for target in targets:
        app.service.queue.want(target, "why")
        app.messages.take("targets")


def run(app: App, target: Target) -> None:
    app.service.run(to_message(target).encode())


def stale(app: App) -> list[str]:
    return [name for name, one in app.platform.holds(IDENTITY).items() if one.issuer != LIVE]


def test_while_one_environment_writes_the_other_waits_and_comes_back() -> None:
    app = of_dev_and_prod()
    want(app, DEV, PROD)

    def prod_runs_meanwhile(_identity: str) -> None:
        app.platform.meanwhile = lambda _: None
        run(app, PROD)

    app.platform.meanwhile = prod_runs_meanwhile
    run(app, DEV)
    assert app.platform.overlaps == []
    assert app.state(DEV).word == "repaired"
    prod = app.state(PROD)
    assert (prod.word, prod.because, prod.failures) == (
        "pending",
        "another run is writing to the same place",
        0,
    )
    assert stale(app) == ["prod-0"]
    app.let(10 * SECOND)
    assert app.state(PROD).word == "repaired"
    assert stale(app) == []


def test_on_two_threads_at_once_there_is_never_a_second_writer_and_both_get_done() -> None:
    app = of_dev_and_prod(count=5)
    want(app, DEV, PROD)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(run, app, target) for target in (DEV, PROD)]:
            done.result(timeout=A_WHILE)
    app.let(MINUTE)
    assert app.platform.overlaps == []
    assert stale(app) == []
    for target in (DEV, PROD):
        assert app.state(target).word in {"repaired", "converged"}
        assert len(app.journal(target, Kind.STEP_DONE)) == 5
    assert len(app.platform.written) == 10


def test_an_identity_left_taken_by_a_dead_worker_is_asked_for_less_and_less_often() -> None:
    app = of_dev_and_prod()
    Leases(app.rows, app.clock).take(_lease_key(IDENTITY.lower()), "a worker that died")
    app.request("prod")
    app.let(TTL + SKEW - SECOND)
    assert app.state(PROD).word == "pending"
    assert app.looks(PROD) < 20
    app.let(2 * MINUTE)
    assert app.state(PROD).word == "repaired"


# -- pace ---------------------------------------------------------------------------------


def gaps(app: App, identity: str) -> list[timedelta]:
    times = sorted(one.at for one in app.platform.written if one.id.startswith(f"{identity}/"))
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def test_writes_under_one_identity_keep_the_pace_of_the_contract() -> None:
    app = of_dev_and_prod(count=3, pace=PACE)
    want(app, DEV)
    run(app, DEV)
    assert gaps(app, IDENTITY) == [PACE, PACE]
    assert app.clock.waited == 2 * PACE, "the only wait within a run"


def test_the_pace_is_kept_from_one_run_to_the_next_and_between_environments() -> None:
    app = of_dev_and_prod(count=1, pace=PACE)
    app.platform.lay(PUT, RuntimeError("any"), after=True)
    want(app, DEV, PROD)
    run(app, DEV)
    app.clock.advance(SECOND)
    run(app, PROD)
    assert gaps(app, IDENTITY) == [PACE]


def test_a_write_that_comes_late_enough_waits_for_nothing() -> None:
    app = of_dev_and_prod(count=1, pace=PACE)
    app.platform.lay(PUT, RuntimeError("any"), after=True)
    want(app, DEV, PROD)
    run(app, DEV)
    app.clock.advance(PACE + SECOND)
    run(app, PROD)
    assert gaps(app, IDENTITY) == [PACE + SECOND]


def test_an_identity_is_listed_no_faster_than_it_is_written() -> None:
    app = of_dev_and_prod(count=1, pace=PACE)
    reads: set[datetime] = set()
    app.platform.reading = lambda: reads.add(app.clock())
    want(app, DEV)
    run(app, DEV)
    assert sorted(reads) == [START, START + PACE]


def test_a_pace_too_slow_for_one_run_leaves_the_rest_to_the_next() -> None:
    app = of_dev_and_prod(count=10, pace=MINUTE)
    want(app, DEV)
    run(app, DEV)
    assert (len(app.platform.written), app.state(DEV).word) == (6, "pending")
    app.let(10 * MINUTE)
    assert (len(app.platform.written), app.state(DEV).word) == (10, "repaired")
    assert set(gaps(app, IDENTITY)) >= {MINUTE}


def test_a_write_that_was_refused_counts_for_the_pace_as_well() -> None:
    app = of_dev_and_prod(count=1, pace=PACE)
    app.platform.lay(PUT, RuntimeError("any"))
    want(app, DEV, PROD)
    run(app, DEV)
    run(app, PROD)
    assert app.clock.waited == PACE


def test_different_identities_do_not_wait_for_each_other() -> None:
    """Both pauses are under way at once: the clock moves on only when they have met."""
    two = (declared("one"), declared("two", subject=f"{SUBJECT}-2"))
    identities = {IDENTITY: two, OTHER: two}
    app = rebuilt(environment(identities, contract=contract(identities=tuple(identities), pace=PACE)))
    app.pause = paused_together(app.clock.advance)
    app.start_process()
    want(app, DEV)
    run(app, DEV)
    assert app.state().word == "repaired"
    assert gaps(app, IDENTITY) == gaps(app, OTHER) == [PACE]


def meet(barrier: Barrier) -> None:
    barrier.wait()


def paused_together(advance: Callable[[timedelta], None]) -> Callable[[timedelta], None]:
    met, over = Barrier(2, timeout=A_WHILE), Barrier(2, timeout=A_WHILE)

    def pause(span: timedelta) -> None:
        if met.wait() == 0:
            advance(span)
        over.wait()

    return pause


def test_identities_are_written_side_by_side() -> None:
    identities = {f"{IDENTITY}-{n}": (declared(),) for n in range(8)}
    app = rebuilt(environment(identities))
    all_write = Barrier(8, timeout=A_WHILE)
    app.platform.meanwhile = lambda _: meet(all_write)
    want(app, DEV)
    run(app, DEV)
    assert app.state().word == "repaired"


def test_a_letter_case_of_an_identity_makes_it_no_other_identity() -> None:
    app = rebuilt(
        environment(contract=contract(pace=PACE)),
        environment(
            {IDENTITY.upper(): (declared("prod", subject=f"{SUBJECT}-prod"),)},
            name="prod",
            contract=contract(pace=PACE),
        ),
    )
    app.platform.lay(PUT, RuntimeError("any"), after=True)
    want(app, DEV, PROD)
    run(app, DEV)
    run(app, PROD)
    of_dev, of_prod = app.platform.written
    assert of_prod.at - of_dev.at == PACE


def test_facts_are_read_side_by_side() -> None:
    """One cluster, and eight identities with two reads each: all seventeen are under way at once."""
    app = rebuilt(environment({f"{IDENTITY}-{n}": (declared(),) for n in range(8)}))
    all_read = Barrier(17, timeout=A_WHILE)
    app.platform.reading = all_read.wait
    want(app, DEV)
    run(app, DEV)
    assert app.state().word == "repaired"
