"""`reconverge replay`: list what is buried, or put it back on its queues."""

import argparse

from cli.exits import Exit
from cli.inputs import hexadecimal
from cli.output import Screen, moment
from cli.surroundings import Surroundings, person
from shared.buried import BuriedMessage
from shared.errors import Misconfigured


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "digests",
        metavar="DIGEST",
        nargs="*",
        type=hexadecimal(6, 32),
        help="of a buried message, or its beginning",
    )
    parser.add_argument("--all", action="store_true", help="every buried message")


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    if given.digests and given.all:
        raise Misconfigured("name digests, or write --all, not both")
    service = here.deployed()
    buried = tuple(service.buried.all())
    if not (given.digests or given.all):
        _list(here.screen, buried)
        return Exit.CONVERGED
    for digest in given.digests:
        if not any(one.digest.startswith(digest) for one in buried):
            known = f"buried are: {', '.join(one.digest for one in buried)}" if buried else "nothing is"
            raise Misconfigured(f"no message {digest} is buried; {known}")
    replayed = service.replay(tuple(given.digests), person()) if buried else ()
    if here.screen.as_json:
        here.screen.document({"replayed": list(replayed)})
    else:
        for digest in replayed:
            here.screen.say(f"{digest}  is back on its queue")
    if not replayed:
        here.screen.note("nothing is buried")
    return Exit.CONVERGED


def _list(screen: Screen, buried: tuple[BuriedMessage, ...]) -> None:
    if screen.as_json:
        screen.document(
            {
                "buried": [
                    {"digest": one.digest, "queue": one.queue, "at": one.at.isoformat(), "message": one.text}
                    for one in buried
                ]
            }
        )
        return
    if not buried:
        screen.note("nothing is buried")
        return
    rows = [(one.digest, one.queue, moment(one.at), one.text) for one in buried]
    screen.table(("digest", "queue", "buried at", "message"), rows)
