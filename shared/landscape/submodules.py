"""The section `submodules`: whose submodules must be there, and where a pin may be moved to."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from shared.landscape.declared import Declared
from shared.landscape.forms import BranchName, RepositoryUrl, SubmodulePath, Unchanging


class DeclaredSubmodules(Declared):
    """A repository that Argo CD renders from. Its submodules stand in its own .gitmodules."""

    repository: RepositoryUrl = Field(examples=["https://github.com/<owner>/<name>.git"])
    """Its address, on GitHub."""
    revisions: tuple[BranchName, ...] = Field(default=("main",), min_length=1)
    """The branches and tags that Argo CD tracks, and `HEAD`."""
    moves: Annotated[Mapping[SubmodulePath, BranchName], Unchanging()] = Field(
        default_factory=lambda: MappingProxyType({})
    )
    """By a submodule's path, the branch of the submodule whose newest commit its pin may be moved to. Left
    out: the `branch` that .gitmodules names for it, if any."""
