"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, Environment, same_repository
from shared.permission_rules import PROPOSING, SEEING_PROPOSALS, listed_repositories
from shared.permissions import GitHubRight, InRepository, Level, Rule


def _tracked(environment: Environment) -> Iterator[InRepository]:
    return (InRepository(one.repository) for one in environment.submodules)


def _of_submodules(environment: Environment) -> Iterator[InRepository]:
    """Those that the contract lists and that nothing is declared in: which repositories submodules have
    stands in .gitmodules alone."""
    declared = [
        *(one.repository for one in environment.submodules),
        *(one.repository for one in environment.facts),
        *(one.workflow.repository for one in environment.facts if one.workflow),
    ]
    for listed in environment.contract.repositories if environment.submodules else ():
        if not any(same_repository(listed, one) for one in declared):
            yield InRepository(listed)


RULES: Final = (
    Rule(
        purpose="reading what is pinned",
        rights=SEEING_PROPOSALS,
        where="each repository of `submodules`",
        places=_tracked,
    ),
    Rule(
        purpose="asking for pinned commits",
        rights=(GitHubRight("Contents", Level.READ),),
        where="each repository of a submodule; `doctor` knows those in `contract.repositories`",
        places=_of_submodules,
    ),
    Rule(
        purpose="keeping a pinned commit",
        rights=(GitHubRight("Contents", Level.WRITE),),
        where="each repository of a submodule in `contract.repositories`",
        places=_of_submodules,
        actions=(Action.SUBMODULE_KEEP,),
    ),
    Rule(
        purpose="moving a pin by pull request",
        rights=PROPOSING,
        where="each repository of `submodules` in `contract.repositories`",
        places=listed_repositories(_tracked),
        actions=(Action.SUBMODULE_MOVE,),
    ),
)
