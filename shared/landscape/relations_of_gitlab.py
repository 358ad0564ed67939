"""What relates the keys of an environment's GitLab to each other."""

from collections.abc import Iterator
from typing import Final

from shared.landscape.places import EVERY, Found, LineOf, Rule, places
from shared.landscape.source import Data

_MIGRATIONS: Final = ("environments", EVERY, "gitlab", "migrations")

_NO_KEYS: Final = (
    "`migrations` names no key of this file, so nothing could be proposed in it; add `ci` or `suffix`, or "
    "remove `migrations`"
)


def _values_unused(data: Data, _: LineOf) -> Iterator[Found]:
    for path, migrations in places(data, _MIGRATIONS):
        if isinstance(migrations, dict) and "values" in migrations and not {"ci", "suffix"} & {*migrations}:
            yield (*path, "values"), _NO_KEYS


RULES: Final[tuple[Rule, ...]] = (
    _values_unused,  # a file without a key repairs nothing
)
