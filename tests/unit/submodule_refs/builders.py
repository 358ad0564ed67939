"""A small platform whose submodules are there, to take commits away from."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from responders.submodule_refs import RESPONDER
from responders.submodule_refs.facts import Facts
from shared.clients.git_remotes import Gitlink
from shared.landscape import (
    Contract,
    DeclaredCluster,
    DeclaredSubmodules,
    Environment,
    Mode,
)
from shared.memory import MemoryRows
from shared.world import Responder
from tests.unit.clocks import VirtualClock
from tests.unit.platform import Platform
from tests.unit.running import HERE, OneTarget

CLUSTER = f"{HERE}/Microsoft.ContainerService/managedClusters/ameide"
GUID = "33333333-3333-3333-3333-333333333333"

GITOPS = "https://github.com/ameideio/ameide-gitops.git"
BACKLOG = "https://github.com/ameideio/ameide-backlog"
PARENT = GITOPS.removesuffix(".git")
LINK = f"{PARENT}/tree/main/backlog"
PATH = "backlog"


def declared(*revisions: str, **changes: Any) -> DeclaredSubmodules:
    return DeclaredSubmodules(**{"repository": GITOPS, "revisions": revisions or ("main",), **changes})


def allowing(**changes: Any) -> Contract:
    return Contract(
        **{"default": Mode.APPLY, "repositories": (GITOPS, BACKLOG), "pace": timedelta(0), **changes}
    )


def link(commit: str, **changes: Any) -> Gitlink:
    return Gitlink(**{"path": PATH, "commit": commit, "url": f"{BACKLOG}.git", **changes})


@dataclass
class World(OneTarget[Facts]):
    """Everything a run needs, around a gitops repository that pins its backlog.

    The pinned commit is one that a branch led to, with a newer one above it.
    """

    submodules: tuple[DeclaredSubmodules, ...] = (declared(moves={PATH: "main"}),)
    contract: Contract = field(default_factory=allowing)
    environment: str = "dev"
    clock: VirtualClock = field(default_factory=VirtualClock)
    rows: MemoryRows = field(default_factory=MemoryRows)
    responder: Responder[Facts] = RESPONDER
    tenant: str = GUID
    _made: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.azure = Platform(self.clock)
        self.github = self.azure.github
        self.github.clock = self.clock
        self.git = self.github.git
        self.backlog = self.git.lay(BACKLOG)
        self.gitops = self.git.lay(GITOPS)
        self.first = self.commit(BACKLOG, "main")
        self.tip = self.commit(BACKLOG, "main")
        self.stray = self.commit(BACKLOG, None)
        self.pin(self.first)

    def commit(self, repository: str, branch: str | None, *pins: Gitlink) -> str:
        """A new commit upon the branch; without one nothing leads to it."""
        sha, remote = f"{next(self._made) * 7919:07x}".ljust(40, "c"), self.git.lay(repository)
        if branch is None:
            remote.loose.add(sha)
            remote.pins[sha] = pins
        else:
            remote.commit(sha, branch, pins=pins)
        return sha

    def pin(self, commit: str, **changes: Any) -> str:
        """Main pins that commit from now on, and nothing else."""
        return self.commit(GITOPS, "main", link(commit, **changes))

    def pins(self, branch: str) -> dict[str, str]:
        return {one.path: one.commit for one in self.gitops.pins[self.gitops.branches[branch]]}

    @property
    def pinned(self) -> str:
        return self.pins("main")[PATH]

    @property
    def declares(self) -> Environment:
        return Environment(
            name=self.environment,
            clusters=(DeclaredCluster(name="ameide", id=CLUSTER),),
            identities=(),
            submodules=self.submodules,
            contract=self.contract,
        )
