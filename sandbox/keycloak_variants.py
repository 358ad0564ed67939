"""What may be wrong with an environment's Keycloak, one function for each."""

from collections.abc import Mapping
from typing import Final

from sandbox.stages import Variant

VARIANTS: Final[Mapping[str, Variant]] = {}
