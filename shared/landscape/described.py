"""The file's JSON Schema: for editors, and for the words in which mistakes are told."""

from datetime import timedelta
from typing import Any, override

from pydantic.json_schema import GenerateJsonSchema

from shared.landscape.forms import spelled
from shared.landscape.models import Landscape


class _Described(GenerateJsonSchema):
    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: the made-up titles (`Perrun`) only hide the keys."""
        return False

    @override
    def encode_default(self, dft: Any) -> Any:
        """Durations as the file spells them."""
        return spelled(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file; docs/landscape.schema.json is its committed form.

    It knows keys, forms and allowed values. What relates one place to another is the loader's alone.
    """
    described = Landscape.model_json_schema(schema_generator=_Described)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | described
