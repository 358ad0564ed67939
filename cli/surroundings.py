"""What a command works with: the environment, the clock, and how the outside systems are reached.

`main` makes the real ones; tests bring their own.
"""

import getpass
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cli.output import Screen
from responders import wiring
from responders.service import Service
from shared.clients import arm, credentials
from shared.clients.access_reviews import AccessReviews
from shared.clients.arm_permissions import ArmPermissions
from shared.clients.repository_access import RepositoryAccess
from shared.clients.vault import Vaults
from shared.grants import Grants
from shared.landscape import load
from shared.model import Clock, Pause
from shared.notices import Notifier
from shared.ports import Messages, Rows
from shared.settings import Settings
from shared.world import World


def _object_id(settings: Settings) -> str:
    return credentials.of_app(settings).object_id(arm.scope(settings))


def _grants(settings: Settings) -> Grants:
    credential = credentials.of_app(settings)
    return Grants(
        azure=ArmPermissions(settings, credential),
        kubernetes=AccessReviews(credential),
        github=RepositoryAccess(settings),
        vault=Vaults(credential),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    environment: Mapping[str, str]
    screen: Screen
    clock: Clock
    pause: Pause
    world: Callable[[Settings], World] = wiring.world
    stores: Callable[[Settings], tuple[Rows, Messages]] = wiring.stores
    object_id: Callable[[Settings], str] = _object_id
    """Of whoever the settings sign in as, for ARM. Raises ReconvergeError."""
    grants: Callable[[Settings], Grants] = _grants
    program: str = "reconverge"
    """What was typed to get here."""

    def command(self, *words: str) -> str:
        """A command line to be shown: whoever copies it into the same shell gets just that."""
        return shlex.join((self.program, *words))

    def settings(self, landscape: str | None = None) -> Settings:
        """Raises Misconfigured."""
        settings = Settings.from_environment(self.environment)
        return replace(settings, landscape=Path(landscape)) if landscape else settings

    def deployed(self) -> Service:
        """The service on the deployed app's store. Raises Misconfigured."""
        settings = self.settings()
        rows, messages = self.stores(settings)
        return Service(
            rows=rows,
            messages=messages,
            world=self.world(settings),
            read_landscape=lambda: load(settings.landscape),
            notifier=SILENT,
            clock=self.clock,
            pause=self.pause,
        )


class _Silence:
    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        """Whoever could be told is looking at the terminal."""


SILENT = Notifier(_Silence())


def person() -> str:
    """Who is at the terminal, for the journal."""
    try:
        return f"{getpass.getuser()} (command line)"
    except OSError:  # a container's user without a name
        return "somebody (command line)"
