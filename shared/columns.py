"""A text longer than a table column, spread over several: a column takes 32 Ki characters, a row 252 columns
and 1 MiB. Used by the journal and by stored plans.

https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from typing import Final

from shared.ports import Row

LONGEST: Final = 16_000
"""Characters of a part: twice as many in UTF-16 still fit."""


def spread(name: str, text: str) -> Row:
    parts = [text[at : at + LONGEST] for at in range(0, len(text), LONGEST)]
    return {f"{name}_{number:02}": part for number, part in enumerate(parts)}


def joined(name: str, row: Row) -> str:
    return "".join(str(row[column]) for column in sorted(row) if column.startswith(f"{name}_"))
