"""What all parts of a landscape have in common."""

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
