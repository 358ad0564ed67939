"""`reconverge doctor`: everything that a run needs, tried one by one. Changes nothing but a scratch row."""

import argparse
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cli.doctor_permissions import permissions
from cli.exits import Exit, worst
from cli.output import Screen, short_id
from cli.surroundings import Surroundings
from cli.tried import PLACEHOLDER, Check
from shared.contract import may_change
from shared.errors import Misconfigured, ReconvergeError
from shared.landscape import Action, Environment, Landscape, load
from shared.model import Absent, Known, Read, Unknown, same_id
from shared.ports import Key
from shared.settings import ARGOCD_TOKEN, STORAGE, Settings, argocd_tokens

SCRATCH: Final = "doctor"
"""The table that is tried. Its rows live for one check."""
READERS: Final = 16


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--landscape", metavar="FILE", help="instead of the one the settings name")


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    checks = []
    for check in _checks(given.landscape, here):
        checks.append(check)
        if not here.screen.as_json:
            _print(here.screen, check)
    code = worst(check.exit for check in checks)
    if here.screen.as_json:
        here.screen.document(
            {
                "verdict": code.says,
                "checks": [
                    {"name": one.name, "verdict": one.word, "says": one.says, "remedy": one.remedy}
                    for one in checks
                ],
            }
        )
    return code


def _print(screen: Screen, check: Check) -> None:
    for number, line in enumerate(check.says.splitlines()):
        head = f"{check.word:<9}  {check.name:<12}" if number == 0 else " " * 23
        screen.say(f"{head}  {line}", check.style)
    if check.remedy:
        screen.say(f"{' ' * 23}  do: {check.remedy}")


def _checks(landscape_file: str | None, here: Surroundings) -> Iterator[Check]:
    """In the order in which one rests on another; what cannot be tried any more is left out."""
    yield _python()
    try:
        settings = here.settings(landscape_file)
    except Misconfigured as error:
        yield Check("settings", Exit.WRONG_USE, str(error), "correct the setting; the rest was not tried")
        return
    yield Check("settings", Exit.CONVERGED, "readable")
    yield _sweep(here)
    yield from _argocd(here)
    yield _storage(settings, here)
    landscape: Landscape | None = None
    try:
        landscape = load(settings.landscape)
        yield _tenant(landscape, settings)
    except Misconfigured as error:
        yield Check("landscape", Exit.WRONG_USE, str(error), "correct what is named; docs/landscape.md")
    sign_in = _sign_in(settings, landscape, here)
    yield sign_in
    if landscape is None:
        return
    yield from _contracts(landscape)
    if sign_in.exit in {Exit.CONVERGED, Exit.DIFFERENCES}:
        yield from _reads(landscape, settings, here)
        yield from permissions(landscape, settings, here)
    else:
        yield Check(
            "reads",
            Exit.COULD_NOT_TELL,
            "clusters, identities and permissions were not tried without a sign-in",
        )


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == (3, 13):
        return Check("python", Exit.CONVERGED, version)
    return Check("python", Exit.WRONG_USE, version, "run with Python 3.13, which the locks are made for")


def _sweep(here: Surroundings) -> Check:
    schedule = here.environment.get("RECONVERGE_SWEEP", "").strip()
    if not schedule and not _in_functions(here):
        return _only_deployed("sweep", "RECONVERGE_SWEEP")
    if len(schedule.split()) in {5, 6}:
        return Check("sweep", Exit.CONVERGED, f"every target is looked at by schedule {schedule!r}")
    says = f"RECONVERGE_SWEEP is {schedule!r}" if schedule else "RECONVERGE_SWEEP is not set"
    return Check(
        "sweep",
        Exit.WRONG_USE,
        says,
        "write '0 */15 * * * *': the sweep is what finds whatever events did not tell",
    )


def _argocd(here: Surroundings) -> Iterator[Check]:
    """Only where a token is set: an app that Argo CD shall not call has none."""
    if not any(name.startswith(ARGOCD_TOKEN) and text.strip() for name, text in here.environment.items()):
        return
    try:
        tokens = argocd_tokens(here.environment)
    except Misconfigured as error:
        yield Check("argocd", Exit.WRONG_USE, str(error), "until then nothing of Argo CD is taken in")
        return
    replaced = ", and for now the one before it too" if len(tokens) > 1 else ""
    yield Check("argocd", Exit.CONVERGED, f"notifications are taken in by their token{replaced}")


def _storage(settings: Settings, here: Surroundings) -> Check:
    if settings.storage is None and not _in_functions(here):
        return _only_deployed("storage", STORAGE)
    try:
        rows, _ = here.stores(settings)
        written = rows.insert(SCRATCH, Key("doctor", uuid.uuid4().hex), {"process": os.getpid()})
        found = rows.get(SCRATCH, written.key)
        rows.delete(written)
    except Misconfigured as error:
        return Check("storage", Exit.WRONG_USE, str(error))
    except ReconvergeError as error:
        return Check(
            "storage",
            Exit.COULD_NOT_TELL,
            str(error),
            "see that the account answers from here, and that you hold Storage Table Data Contributor on it",
        )
    if found is None or found.values != written.values:
        return Check("storage", Exit.COULD_NOT_TELL, "a row does not read as it was written")
    return Check("storage", Exit.CONVERGED, "a row was written, read and deleted")


def _tenant(landscape: Landscape, settings: Settings) -> Check:
    """The loader takes the sample as it is. Its objectId may stand until the app's identity is there."""
    if landscape.tenant != PLACEHOLDER:
        return Check("landscape", Exit.CONVERGED, f"{settings.landscape} has no mistakes")
    return Check(
        "landscape",
        Exit.WRONG_USE,
        f"{settings.landscape}: the tenant is still the sample's",
        "replace the zeros by what `az account show --query tenantId` says",
    )


def _in_functions(here: Surroundings) -> bool:
    """Whether these are a deployed app's settings: App Service adds the site's name, and the worker's is set.

    https://learn.microsoft.com/azure/app-service/reference-app-settings
    """
    return any(here.environment.get(name) for name in ("WEBSITE_SITE_NAME", "FUNCTIONS_WORKER_RUNTIME"))


def _only_deployed(name: str, setting: str) -> Check:
    return Check(name, Exit.CONVERGED, f"{setting} is not set: needed by the deployed app only", note=True)


def _sign_in(settings: Settings, landscape: Landscape | None, here: Surroundings) -> Check:
    try:
        object_id = here.object_id(settings)
    except ReconvergeError as error:
        exit_ = Exit.WRONG_USE if isinstance(error, Misconfigured) else Exit.COULD_NOT_TELL
        return Check("sign-in", exit_, str(error))
    if landscape is None or same_id(object_id, landscape.reconverge.object_id):
        return Check("sign-in", Exit.CONVERGED, f"ARM knows us as {object_id}")
    says = f"ARM knows us as {object_id}, not as reconverge.objectId {landscape.reconverge.object_id}"
    if not _in_functions(here):
        return Check("sign-in", Exit.CONVERGED, f"{says}: all is tried as you", note=True)
    return Check(
        "sign-in", Exit.DIFFERENCES, says, "correct objectId: by it the app knows its own writes again"
    )


def _contracts(landscape: Landscape) -> Iterator[Check]:
    for environment in landscape.environments.values():
        yield Check(f"contract {environment.name}", Exit.CONVERGED, _contract(environment))


def _contract(environment: Environment) -> str:
    if not environment.enabled:
        return "disabled: nothing is looked at"
    contract = environment.contract
    told: dict[tuple[str, ...], list[str]] = {}
    for action in Action:
        told.setdefault(may_change(contract, action), []).append(f"{contract.mode(action)} {action}")
    idle = told.pop((), [])
    if not told:
        return f"changes nothing ({', '.join(idle)}; what is not listed is not written either)"
    writing = [
        f"{', '.join(actions)} on {', '.join(map(short_id, places))}" for places, actions in told.items()
    ]
    rest = [f"nothing is listed or allowed for {', '.join(idle)}"] if idle else []
    caps = contract.caps
    return "; ".join([*writing, *rest, f"at most {caps.per_run} a run and {caps.per_hour} an hour a target"])


def _reads(landscape: Landscape, settings: Settings, here: Surroundings) -> Iterator[Check]:
    """Every cluster and identity of the enabled environments, each once, side by side."""
    world = here.world(settings)
    enabled = [one for one in landscape.environments.values() if one.enabled]
    clusters = _once(one.id for environment in enabled for one in environment.clusters)
    identities = _once(one.id for environment in enabled for one in environment.identities)
    tries: list[tuple[str, str, Callable[[str], Read[object]]]] = [
        *(("cluster", one, world.clusters.get) for one in clusters),
        *(("identity", one, world.identities.get) for one in identities),
        *(("credentials", one, world.identities.credentials) for one in identities),
    ]
    with ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="doctor") as pool:
        yield from pool.map(lambda one: _read(*one), tries)


def _once(ids: Iterable[str]) -> list[str]:
    return list({one.lower(): one for one in ids}.values())


def _read(kind: str, arm_id: str, read: Callable[[str], Read[object]]) -> Check:
    match read(arm_id):
        case Known():
            return Check(kind, Exit.CONVERGED, f"{short_id(arm_id)} is readable")
        case Absent():
            return Check(
                kind,
                Exit.DIFFERENCES,
                f"{short_id(arm_id)} does not exist",
                f"while it is being rebuilt nothing; else correct {arm_id} in the landscape",
            )
        case Unknown(why):
            return Check(
                kind,
                Exit.COULD_NOT_TELL,
                f"{short_id(arm_id)} could not be read: {why}",
                "give whoever signs in the roles of docs/permissions.md, and see that ARM answers from here",
            )
