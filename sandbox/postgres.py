"""An environment's PostgreSQL, as far as GitLab has to do with it: who may connect, and what is in there.

Its databases live on a volume of the cluster and so begin empty with each build. The operator that runs it
keeps the role's password at what a Secret says.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

SERVICE: Final = "postgres-ameide-rw"
ROLE: Final = "gitlab"
PORT: Final = 5432
DATABASES: Final = ("gitlabhq_production", "gitlabhq_production_ci")
EXTENSIONS: Final = frozenset({"btree_gist", "pg_trgm", "plpgsql"})
"""That GitLab needs. https://docs.gitlab.com/install/postgresql_extensions/"""
_ADDRESS: Final = "10.0.17.4"


class DatabaseError(Exception):
    """What PostgreSQL, or its client, answers instead. The text is theirs."""


@dataclass(slots=True, kw_only=True)
class Database:
    migrated: bool = False
    """GitLab's tables are there."""
    locked: bool = False
    """Somebody else holds what the migrations must hold."""
    slowness: float = 0.0
    """Seconds that the migrations take."""
    extensions: frozenset[str] = EXTENSIONS
    """That are there, or could be created."""

    async def migrate(self) -> None:
        """Make GitLab's tables. Raises DatabaseError."""
        if self.locked:
            raise DatabaseError("PG::LockNotAvailable: ERROR:  canceling statement due to lock timeout")
        if missing := sorted(EXTENSIONS - self.extensions):
            raise DatabaseError(
                f'PG::UndefinedFile: ERROR:  extension "{missing[0]}" is not available\n'
                f'DETAIL:  Could not open extension control file "/usr/share/postgresql/extension/'
                f'{missing[0]}.control": No such file or directory.'
            )
        await asyncio.sleep(self.slowness)
        self.migrated = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a client says of the database that it wants."""

    host: str
    port: str
    database: str
    user: str
    password: str = field(repr=False)


class Postgres:
    def __init__(self, namespace: str, password: Callable[[], str | None]) -> None:
        """password: what the Secret of the role says; None while there is none"""
        self.names = {SERVICE, f"{SERVICE}.{namespace}", f"{SERVICE}.{namespace}.svc.cluster.local"}
        """By which the server is found."""
        self.listens = True
        self.databases = {name: Database() for name in DATABASES}
        self.other_password: str | None = None
        """Somebody has set this one by hand, behind the operator's back."""
        self._password = password

    def connect(self, place: Place) -> Database:
        """Raises DatabaseError."""
        if place.host not in self.names:
            raise DatabaseError(
                f'could not translate host name "{place.host}" to address: Name or service not known'
            )
        at = f'connection to server at "{place.host}" ({_ADDRESS}), port {place.port} failed'
        if not self.listens or place.port != str(PORT):
            raise DatabaseError(
                f"{at}: Connection refused\n"
                "\tIs the server running on that host and accepting TCP/IP connections?"
            )
        wanted = self.other_password or self._password()
        if place.user != ROLE or wanted is None or place.password != wanted:
            raise DatabaseError(f'{at}: FATAL:  password authentication failed for user "{place.user}"')
        if place.database not in self.databases:
            raise DatabaseError(f'{at}: FATAL:  database "{place.database}" does not exist')
        return self.databases[place.database]
