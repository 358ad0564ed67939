"""A file of Helm values in Git, which Argo CD renders from."""

from typing import Final

from pydantic import Field

from shared.landscape.declared import Declared
from shared.landscape.facts import repository_page
from shared.landscape.forms import BranchName, RepositoryUrl, YamlPath

_REPOSITORY: Final = "https://github.com/<owner>/<name>.git"


class ValuesFile(Declared):
    """One file of Helm values."""

    repository: RepositoryUrl = Field(examples=[_REPOSITORY])
    """Its repository, on GitHub."""
    ref: BranchName = "main"
    """The branch that Argo CD follows."""
    path: YamlPath = Field(examples=["sources/values/env/dev/platform/platform-gitlab.yaml"])
    """The file in it."""

    @property
    def reference(self) -> str:
        """The file's address for people; it begins with that of its repository."""
        return f"{repository_page(self.repository)}/blob/{self.ref}/{self.path}"
