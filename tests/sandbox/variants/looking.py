"""What the app's own responders see of the sandbox's platform, where no app runs."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

import responders
from responders import wiring
from shared.journal import Journal
from shared.landscape import Landscape, load
from shared.memory import MemoryRows
from shared.model import Target, utc_now
from shared.settings import Settings
from shared.world import Scope, World


@dataclass(frozen=True, slots=True)
class Looking:
    landscape: Landscape
    world: World

    @classmethod
    def begin(cls) -> "Looking":
        """By the settings of the environment."""
        settings = Settings.from_environment(os.environ)
        return cls(load(settings.landscape), wiring.world(settings))

    def reasons(self, responder: str, later: timedelta = timedelta(0)) -> set[str]:
        """Codes of what its checks name in dev, to somebody without memory who looks that much later."""

        def clock() -> datetime:
            return utc_now() + later

        scope = Scope(
            target=Target("dev", responder),
            landscape=self.landscape,
            environment=self.landscape.environments["dev"],
            world=self.world,
            journal=Journal(MemoryRows(), clock),
            clock=clock,
            pause=_never,
        )
        room = responders.load(responder)
        return {str(one.reason) for one in room.check(room.gather(scope), clock())}


def _never(_span: timedelta) -> None:
    raise AssertionError("whoever only looks keeps no pace")
