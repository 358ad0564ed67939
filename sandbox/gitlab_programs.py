"""What GitLab's containers run: the migrations, the wait for them, and what serves and works after them.

A pod knows its environment by its namespace. What all of them print is GitLab's wording where people search
for it, and never a password.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from ruamel.yaml import YAML

from sandbox.charts.gitlab import (
    ALLOWED,
    BACKGROUND,
    CONFIG,
    CONFIG_FOLDER,
    DEPENDENCIES,
    PROVIDER,
    REGISTRY,
    SIDEKIQ,
    TOOLBOX,
    VALIDATE,
    WEBSERVICE,
)
from sandbox.gitlab import GitLab, Page
from sandbox.gitlab_config import (
    ENFORCED,
    HEADER,
    IGNORED,
    Configured,
    mistakes,
    read_config,
    trouble,
)
from sandbox.gitlab_sources import APP_VERSION
from sandbox.kubelet import ACCOUNT_FILES, Container, Program
from sandbox.postgres import DatabaseError

_LOOK_SECONDS: Final = 0.25
"""Between two looks at the database of one who waits for it."""
_MONITORING: Final = {
    "/-/health": "GitLab OK",
    "/-/readiness": '{"status":"ok"}',
    "/-/liveness": '{"status":"ok"}',
}
_SIGN_IN: Final = "/users/sign_in"
_ELSEWHERE: Final = "/users/auth/openid_connect"
_BROKEN: Final = Page(
    status=500,
    text="<!DOCTYPE html><html><head><title>Something went wrong (500)</title></head>"
    "<body><h1>500</h1><p>We're sorry. Something went wrong on our end.</p></body></html>",
)


type _Run = Callable[[GitLab, Container], Awaitable[int]]


def programs(gitlabs: Mapping[str, GitLab]) -> Mapping[str, Program]:
    """By image. gitlabs: of one build of the cluster, by namespace."""

    def started(run: _Run) -> Program:
        async def program(container: Container) -> int:
            return await run(gitlabs[container.files[f"{ACCOUNT_FILES}/namespace"]], container)

        return program

    runs: Mapping[str, _Run] = {TOOLBOX: _toolbox, WEBSERVICE: _webservice, SIDEKIQ: _sidekiq}
    return {f"{REGISTRY}/{name}:v{APP_VERSION}": started(run) for name, run in runs.items()}


async def _toolbox(gitlab: GitLab, container: Container) -> int:
    if BACKGROUND in container.args:
        return await _wait_for_background_migrations(gitlab, container)
    return await _migrate(gitlab, container)


async def _webservice(gitlab: GitLab, container: Container) -> int:
    if DEPENDENCIES in container.args:
        return _look_for_schema(gitlab, container)
    pod = container.env["HOSTNAME"]
    gitlab.serving[pod] = _Webservice(gitlab, container)
    container.print("Puma starting in cluster mode... * Listening on http://0.0.0.0:8080")
    try:
        return await _forever()
    finally:
        gitlab.serving.pop(pod, None)


async def _sidekiq(gitlab: GitLab, container: Container) -> int:
    if DEPENDENCIES in container.args:
        return _look_for_schema(gitlab, container)
    container.print("Booted Rails application in production environment")
    return await _forever()


async def _forever() -> int:
    await asyncio.get_running_loop().create_future()
    return 0


def _configured(container: Container) -> list[Configured]:
    return read_config(container.files[f"{CONFIG_FOLDER}/{CONFIG}"], container.env)


# -- migrations -----------------------------------------------------------------------------


async def _migrate(gitlab: GitLab, container: Container) -> int:
    """Nothing is changed before the configuration was found right."""
    configured = _configured(container)
    container.print(f"Begin parsing .erb templates from {CONFIG_FOLDER}")
    for line in trouble(configured, gitlab.postgres):
        container.print(line)
    if found := mistakes(configured, gitlab.postgres):
        ignored = container.env.get(VALIDATE, "1") in ("0", "false")
        last = ENFORCED if ignored else IGNORED
        container.print("\n".join([*([] if ignored else ["rake aborted!"]), HEADER, *found, last]))
        if not ignored:
            container.print("Tasks: TOP => db:migrate => gitlab:db:validate_config")
            return 1
    for one in configured:
        if one.tasks and not await _migrate_one(gitlab, container, one):
            return 1
    container.print("Migrations complete")
    return 0


async def _migrate_one(gitlab: GitLab, container: Container, one: Configured) -> bool:
    container.print(f"Checking database {one.place.database} ({one.name})")
    try:
        database = gitlab.postgres.connect(one.place)
    except DatabaseError as error:
        container.print(f"rake aborted!\nActiveRecord::ConnectionNotEstablished: {error}")
        return False
    if database.migrated:
        container.print(f"{one.name}: nothing to migrate")
        return True
    try:
        await database.migrate()
    except DatabaseError as error:
        container.print(f"rake aborted!\nActiveRecord::StatementInvalid: {error}\nTasks: TOP => db:migrate")
        return False
    container.print(f"{one.name}: == InitSchema: migrated")
    return True


async def _wait_for_background_migrations(gitlab: GitLab, container: Container) -> int:
    """There are none after a first migration, so this ends with it."""
    told = None
    while (said := _missing(gitlab, container)) is not None:
        if said != told:
            container.print(said)
        told = said
        await asyncio.sleep(_LOOK_SECONDS)
    container.print("No batched background migrations left")
    return 0


# -- what rests on them ---------------------------------------------------------------------


def _look_for_schema(gitlab: GitLab, container: Container) -> int:
    """The init container `dependencies`: one look. It is started again until it finds what it looks for."""
    said = _missing(gitlab, container)
    container.print("Database schema is up to date" if said is None else said)
    return 0 if said is None else 1


def _missing(gitlab: GitLab, container: Container) -> str | None:
    """What keeps GitLab from working with its databases."""
    for one in _configured(container):
        try:
            migrated = gitlab.postgres.connect(one.place).migrated
        except DatabaseError as error:
            return f"Problem accessing {one.name} database ({one.place.database}): {error}"
        if not migrated:
            return (
                f"Database Schema - {one.name} ({one.place.database}) - current: 0\n"
                "NOTICE: Database has not been initialized yet."
            )
    return None


class _Webservice:
    """A pod that answers people."""

    def __init__(self, gitlab: GitLab, container: Container) -> None:
        self._gitlab = gitlab
        self._container = container

    def answer(self, method: str, path: str, client: str) -> Page:
        """client: the caller's IP address"""
        if path in _MONITORING:
            # Who is not on the list is not told that there is such a page.
            listed = self._allows(client)
            return Page(status=200, text=_MONITORING[path]) if listed else Page(status=404)
        if (trouble := self._trouble()) is not None:
            self._container.print(f"{method} {path} 500\n{trouble}")
            return _BROKEN
        if path == _SIGN_IN:
            return Page(status=200, text="<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>")
        if (method, path) == ("POST", _ELSEWHERE):
            return Page(status=302, location=self._authorisation())
        return Page(status=302, location=_SIGN_IN)

    def _trouble(self) -> str | None:
        """Why no page can be made that needs the database, in the words of the log."""
        (main, *_) = _configured(self._container)
        try:
            database = self._gitlab.postgres.connect(main.place)
        except DatabaseError as error:
            return f"ActiveRecord::ConnectionNotEstablished ({error})"
        if not database.migrated:
            return (
                "ActiveRecord::StatementInvalid (PG::UndefinedTable: ERROR:  relation "
                '"application_settings" does not exist)'
            )
        if not self._gitlab.storage_knows_us:
            return (
                "Excon::Error::Forbidden (Expected([200]) <=> Actual(403 Forbidden) "
                "<Code>InvalidAccessKeyId</Code><Message>The Access Key Id you provided does not exist in "
                "our records.</Message>)"
            )
        return None

    def _allows(self, client: str) -> bool:
        address = ipaddress.ip_address(client)
        return any(
            address in ipaddress.ip_network(one) for one in self._container.env[ALLOWED].split(",") if one
        )

    def _authorisation(self) -> str:
        """Where the browser is sent to sign in."""
        provider = YAML(typ="safe", pure=True).load(self._container.env[PROVIDER])["args"]
        options = provider["client_options"]
        query = urlencode(
            {
                "client_id": options["identifier"],
                "redirect_uri": options["redirect_uri"],
                "response_type": provider.get("response_type", "code"),
                "scope": " ".join(provider.get("scope", ["openid"])),
            }
        )
        return f"{provider['issuer']}/protocol/openid-connect/auth?{query}"
