"""The store in memory, where time can be told to move. Its other promises: tests/contract/clients."""

from datetime import timedelta

from shared.memory import MemoryMessages
from shared.ports import LONGEST_DELAY
from tests.unit.clocks import VirtualClock

MINUTE = timedelta(minutes=1)


def test_a_message_becomes_visible_when_its_delay_is_over_and_is_taken_once() -> None:
    clock = VirtualClock()
    messages = MemoryMessages(clock)
    messages.send("targets", "later", delay=2 * MINUTE)
    messages.send("targets", "sooner", delay=MINUTE)
    assert [one.text for one in messages.waiting("targets")] == ["sooner", "later"]
    assert messages.take("targets") is None
    clock.advance(MINUTE)
    assert messages.take("targets") == "sooner"
    assert messages.take("targets") is None
    clock.advance(MINUTE)
    assert messages.take("targets") == "later"
    assert messages.waiting("targets") == ()


def test_messages_of_one_moment_are_taken_in_the_order_they_were_sent() -> None:
    messages = MemoryMessages(VirtualClock())
    for text in ("b", "a", "c"):
        messages.send("targets", text)
    assert [messages.take("targets") for _ in range(4)] == ["b", "a", "c", None]


def test_nobody_waits_longer_than_a_queue_can_make_him() -> None:
    clock = VirtualClock()
    messages = MemoryMessages(clock)
    messages.send("targets", "in a month", delay=timedelta(days=30))
    clock.advance(LONGEST_DELAY)
    assert messages.take("targets") == "in a month"
