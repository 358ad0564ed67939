"""Broken states that can be dialled in by name, for drills, the command line and tests."""

from collections.abc import Mapping
from typing import Final

from sandbox import gitlab_variants, keycloak_variants
from sandbox.inputs import InputError
from sandbox.stages import Stage, Variant

VARIANTS: Final[Mapping[str, Variant]] = {**keycloak_variants.VARIANTS, **gitlab_variants.VARIANTS}


def about() -> dict[str, str]:
    """One line of each."""
    return {name: (variant.__doc__ or "").partition("\n")[0] for name, variant in VARIANTS.items()}


async def dial(name: str, stage: Stage) -> None:
    """Raises InputError where there is no such variant."""
    if name not in VARIANTS:
        raise InputError(f"no variant {name!r}; there are {', '.join(VARIANTS)}")
    await VARIANTS[name](stage)
