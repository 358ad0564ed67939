"""Whatever is put on queue `signals`: every reading of it is journalled or counted, and none raises."""

import json
from typing import Any

from hypothesis import given

from shared import signals
from shared.memory import MemoryRows
from shared.ports import Key, Row, Stored
from tests.unit.app import App
from tests.unit.json_values import json_values


class ExactRows(MemoryRows):
    """Takes only text that UTF-8 can spell and XML may hold, as no store on the way of a row takes less."""

    def insert(self, table: str, key: Key, values: Row) -> Stored:
        _spelled(key, values)
        return super().insert(table, key, values)

    def replace(self, stored: Stored, values: Row) -> Stored:
        _spelled(stored.key, values)
        return super().replace(stored, values)


def _spelled(key: Key, values: Row) -> None:
    for text in (key.partition, key.row, *values.values()):
        if isinstance(text, str):
            text.encode()
            assert not any(ord(character) < 0x20 for character in text)


@given(json_values())
def test_every_reading_leaves_its_trace(value: Any) -> None:
    app = App(rows=ExactRows())
    body = json.dumps(value).encode()
    app.service.route(body)
    counted = sum(app.service.journal.counts(app.clock()).values())
    assert len(app.signals()) + counted == len(signals.from_message(body))
