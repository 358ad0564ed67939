"""How remotes are asked: by the looks and once more before a write, in the same way."""

from urllib.parse import urlsplit

from responders.submodule_refs.facts import Pin
from shared.clients.git_remotes import Refs, Snapshot, Standing
from shared.model import Absent, Known, Read, Unknown
from shared.world import Scope


def refs(scope: Scope, remote: str) -> Read[Refs]:
    return scope.world.git.refs(remote, parent=_declared_beside(scope, remote))


def snapshot(scope: Scope, repository: str, revision: str) -> Read[Snapshot]:
    """What a branch pins."""
    parent = _declared_beside(scope, repository)
    return scope.world.git.snapshot(repository, revision, parent=parent)


def own_pins(scope: Scope, pin: Pin, read: Read[Refs]) -> Read[Snapshot]:
    """What a submodule itself pins, at its pinned commit.

    read: what `refs` answered of the pin's remote
    """
    parent = _declared_beside(scope, pin.remote)
    refs = read.value if isinstance(read, Known) else None
    return scope.world.git.snapshot(pin.remote, pin.commit, refs=refs, parent=parent)


def standing(scope: Scope, pin: Pin, read: Read[Refs]) -> Read[Standing]:
    """read: what `refs` answered of the pin's remote"""
    match read:
        case Known(found):
            parent = _declared_beside(scope, pin.remote)
            return scope.world.git.standing(pin.remote, pin.commit, found, parent=parent)
        case Unknown():
            return read
        case Absent():
            return Unknown("the remote shows no refs")


def _declared_beside(scope: Scope, remote: str) -> str | None:
    """A repository of the landscape on the same host, which vouches for the host: what .gitmodules says must
    not make us call just anybody."""
    host = urlsplit(remote).netloc.lower()
    declared = (one.repository for one in scope.environment.submodules)
    return next((one for one in declared if urlsplit(one).netloc.lower() == host), None)
