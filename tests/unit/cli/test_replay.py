"""`reconverge replay`: what is buried is listed, and goes back to its queue."""

import pytest

from cli.exits import Exit
from shared.buried import Buried
from tests.unit.cli.desk import Desk


@pytest.fixture
def graves(desk: Desk) -> tuple[str, str]:
    buried = Buried(desk.rows, desk.messages, desk.clock)
    return buried.keep("targets", "one"), buried.keep("signals", "two")


def on_queues(desk: Desk) -> dict[str, list[str]]:
    return {queue: [one.text for one in desk.messages.waiting(queue)] for queue in ("targets", "signals")}


def listed(desk: Desk) -> set[str]:
    return {one["digest"] for one in desk.types("replay", "--output", "json").document["buried"]}


def test_without_a_digest_it_lists_and_moves_nothing(desk: Desk, graves: tuple[str, str]) -> None:
    answer = desk.types("replay")
    assert answer.code == Exit.CONVERGED
    assert all(digest in answer.out for digest in graves)
    assert listed(desk) == set(graves)
    assert on_queues(desk) == {"targets": [], "signals": []}


def test_a_named_message_goes_back_to_its_queue_and_the_others_stay(
    desk: Desk, graves: tuple[str, str]
) -> None:
    first, second = graves
    answer = desk.types("replay", first[:8], "--output", "json")
    assert answer.document == {"replayed": [first]}
    assert on_queues(desk) == {"targets": ["one"], "signals": []}
    assert listed(desk) == {second}


def test_all_go_back_when_all_are_meant(desk: Desk, graves: tuple[str, str]) -> None:
    answer = desk.types("replay", "--all")
    assert all(f"{digest}  is back on its queue" in answer.out for digest in graves)
    assert on_queues(desk) == {"targets": ["one"], "signals": ["two"]}
    assert listed(desk) == set()


def test_a_replay_is_journalled_with_who_did_it(desk: Desk, graves: tuple[str, str]) -> None:
    desk.types("replay", graves[0])
    entries = desk.types("journal", "--output", "json").document["entries"]
    assert [(one["kind"], one["detail"]["digest"]) for one in entries] == [("replayed", graves[0])]
    assert entries[0]["actor"].endswith("(command line)")


def test_an_unknown_digest_moves_nothing_and_lists_the_known_ones(
    desk: Desk, graves: tuple[str, str]
) -> None:
    answer = desk.types("replay", graves[0], "0123456789")
    assert answer.code == Exit.WRONG_USE
    assert all(digest in answer.err for digest in graves)
    assert on_queues(desk) == {"targets": [], "signals": []}


def test_a_digest_and_all_contradict_each_other(desk: Desk, graves: tuple[str, str]) -> None:
    assert desk.types("replay", graves[0], "--all").code == Exit.WRONG_USE
    assert listed(desk) == set(graves)


@pytest.mark.parametrize("flags", [(), ("--all",)])
def test_nothing_buried_is_nothing_wrong(desk: Desk, flags: tuple[str, ...]) -> None:
    answer = desk.types("replay", *flags)
    assert (answer.code, answer.out, answer.err) == (Exit.CONVERGED, "", "nothing is buried\n")
