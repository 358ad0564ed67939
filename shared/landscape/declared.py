"""What all parts of a landscape have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Declared(BaseModel):
    """Frozen, strict, and written in camelCase in the file; an unknown key is refused."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


def cluster_is_optional_in_the_file(described: dict[str, Any]) -> None:
    """Of a part that names its cluster, in the schema. Where the file does not, the only cluster of the
    environment is meant, which is filled in before the part is validated."""
    described["required"].remove("cluster")
