"""One conversation with a Git server: what it offers, its refs, one fetch. Versions 0 and 2 of the protocol.

Version 2 is asked for. Servers that do not know it answer in version 0, whose word means less: see `proves`.

https://git-scm.com/docs/protocol-v2, https://git-scm.com/docs/pack-protocol
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from shared.clients.git_http import Home, advertised, asked
from shared.clients.git_packets import DELIMITER, FLUSH, Complaint, Mark, Unusable, pack_data, packet, packets
from shared.clients.git_packs import DIGITS, Pack

PREFIXES: Final = ("refs/heads/", "refs/tags/")
MOST_REFS: Final = 100_000
"""Branches and tags of a repository. All of them go along with each question for a commit."""
NO_TREES: Final = "tree:0"
NO_FILES: Final = "blob:none"

HEAD: Final = "HEAD"
_SYMREF: Final = "symref-target:"
_PEELED: Final = "^{}"
_NOT_OURS: Final = "upload-pack: not our ref "
_NO_FILTER: Final = "filter '"
_BANDS: Final = "side-band-64k"


class NotOurs(Unusable):
    """The server says that what is wanted is not among what it gives."""

    def __init__(self, *, proves: bool) -> None:
        """proves: it can only mean that there is no such object."""
        super().__init__(
            "its server speaks an old version of Git's protocol, in which it says the same of a commit that "
            "is gone and of one that no ref holds: look into the repository, or let it speak version 2"
        )
        self.proves: Final = proves


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How a repository's server wants to be asked, as it said itself."""

    home: Home
    version: int
    offers: frozenset[str]
    """Of version 2 what its `fetch` can do; of version 0 everything."""
    object_format: str
    refs: Mapping[str, str] = field(default_factory=dict)
    """Version 0 begins with all of them."""


def greet(home: Home) -> Server:
    """The first request of a repository."""
    with advertised(home) as (now, pieces):
        lines = packets(pieces)
        first = next(lines, Mark.END)
        # Version 0 begins so, and some servers begin version 2 so as well.
        named = isinstance(first, bytes) and first.startswith(b"# service=")
        if named and next(lines, Mark.END) is Mark.FLUSH:
            first = next(lines, Mark.END)
        if first == b"version 2\n":
            return _second(now, _texts(lines))
        # Without any ref, some versions of git have nothing to put their capabilities behind.
        if named and first is Mark.FLUSH:
            return _zeroth(now, [])
        if not isinstance(first, bytes):
            raise Unusable("its answer is none of Git's")
        return _zeroth(now, [first.decode(errors="replace").rstrip("\n"), *_texts(lines)])


def _texts(lines: Iterable[bytes | Mark]) -> Iterator[str]:
    """Up to the flush, without which the answer is but half."""
    for line in lines:
        if isinstance(line, Mark):
            if line is not Mark.FLUSH:
                break
            return
        yield line.decode(errors="replace").rstrip("\n")
    raise Unusable("its answer ends in the middle")


def _second(home: Home, lines: Iterable[str]) -> Server:
    told = dict(line.partition("=")[::2] for line in lines)
    if not {"ls-refs", "fetch"} <= told.keys():
        raise Unusable("its server lists no refs, or gives nothing: it cannot be asked")
    return Server(
        home=home,
        version=2,
        offers=frozenset(told["fetch"].split()),
        object_format=_known(told.get("object-format", "sha1")),
    )


def _zeroth(home: Home, lines: list[str]) -> Server:
    """Capabilities stand behind the first ref; where there is none, behind a name that is none."""
    first, _, behind = "".join(lines[:1]).partition("\0")
    offers = frozenset(behind.split())
    formats = [one.partition("=")[2] for one in offers if one.startswith("object-format=")]
    return Server(
        home=home,
        version=0,
        offers=offers,
        object_format=(name := _known(formats[0] if formats else "sha1")),
        refs=_selected([first, *lines[1:]], name),
    )


def _known(object_format: str) -> str:
    if object_format not in DIGITS:
        raise Unusable("its object format is not known: only sha1 and sha256 are")
    return object_format


def _selected(lines: Iterable[str], object_format: str) -> dict[str, str]:
    """Branches and tags by full name. In version 0 the peeled id of a tag follows as a line of its own."""
    found: dict[str, str] = {}
    for line in lines:
        target, _, name = line.partition(" ")
        if name.startswith(PREFIXES):
            found[name.removesuffix(_PEELED)] = _id(target, object_format)
            _bound(found)
    return found


def _bound(found: Mapping[str, str]) -> None:
    if len(found) > MOST_REFS:
        raise Unusable(f"it has more than {MOST_REFS} branches and tags")


def _id(text: str, object_format: str) -> str:
    if not is_id(text, object_format):
        raise Unusable("its answer names an object that is none")
    return text


def is_id(text: str, object_format: str) -> bool:
    """A full one, as git writes it."""
    return len(text) == DIGITS[object_format] and set(text) <= set("0123456789abcdef")


# -- refs -----------------------------------------------------------------------------------------


def refs_of(server: Server, prefixes: tuple[str, ...] = PREFIXES) -> Mapping[str, str]:
    """Branches and tags by full name, tags peeled; those whose name begins so.

    https://git-scm.com/docs/protocol-v2#_ls_refs
    """
    if server.version == 0:
        return {name: target for name, target in server.refs.items() if name.startswith(prefixes)}
    wanted = [packet("peel"), *(packet(f"ref-prefix {one}") for one in prefixes)]
    body = b"".join([packet("command=ls-refs"), _format(server), DELIMITER, *wanted, FLUSH])
    found: dict[str, str] = {}
    with asked(server.home, body) as pieces:
        for name, target in _listed(_texts(packets(pieces)), server.object_format, prefixes):
            found[name] = target
            _bound(found)
    return found


def _listed(lines: Iterable[str], object_format: str, prefixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for line in lines:
        target, _, rest = line.partition(" ")
        name, *more = rest.split(" ")
        if not name:
            raise Unusable("its answer lists a ref without a name")
        peeled = next((one.removeprefix("peeled:") for one in more if one.startswith("peeled:")), target)
        # A server may send more than it is asked for, such as a HEAD that leads nowhere.
        if name.startswith(prefixes):
            yield name, _id(peeled, object_format)


def _format(server: Server) -> bytes:
    # Servers from before SHA-256 do not know the word.
    return packet(f"object-format={server.object_format}") if server.object_format != "sha1" else b""


def branch_of_head(server: Server) -> str | None:
    """The full name of what HEAD stands for; None where the server does not tell."""
    if server.version == 0:
        mark = f"symref={HEAD}:"
        return next((one.removeprefix(mark) for one in server.offers if one.startswith(mark)), None)
    wanted = [packet("symrefs"), packet(f"ref-prefix {HEAD}")]
    body = b"".join([packet("command=ls-refs"), _format(server), DELIMITER, *wanted, FLUSH])
    with asked(server.home, body) as pieces:
        for line in _texts(packets(pieces)):
            _, name, *more = line.split(" ")
            if name == HEAD:
                return next((one.removeprefix(_SYMREF) for one in more if one.startswith(_SYMREF)), None)
    return None


# -- fetch ----------------------------------------------------------------------------------------


@contextmanager
def fetched(
    server: Server, want: str, *, without: str | None = None, have: Iterable[str] = (), shallow: bool = False
) -> Iterator[Pack]:
    """What comes for one object that is wanted by its id.

    without: NO_TREES or NO_FILES; servers that do not filter send them as well.
    shallow: of a commit, nothing of what came before it, where the server can do so.
    Raises NotOurs, and what `git_http.asked` raises.
    """
    if server.version == 0 and _BANDS not in server.offers:
        raise Unusable("its server offers too little to be asked: look into the repository with git")
    filters = (without, None) if without and "filter" in server.offers else (None,)
    make = _ask_second if server.version == 2 else _ask_zeroth
    for one in filters:
        body = make(server, want, one, have, shallow=shallow and "shallow" in server.offers)
        with asked(server.home, body) as pieces:
            try:
                pack = _pack(server, packets(pieces), bare=one is not None)
            except Complaint as complaint:
                if complaint.text == f"{_NOT_OURS}{want}":
                    raise NotOurs(proves=_proves(server)) from complaint
                # Which filters a server takes, it does not offer: `uploadpackfilter.<filter>.allow`.
                if one is None or not complaint.text.startswith(_NO_FILTER):
                    raise
                continue
            yield pack
            return


def _pack(server: Server, lines: Iterator[bytes | Mark], *, bare: bool) -> Pack:
    """Version 2 names the section; in version 0 the pack follows the one acknowledgement."""
    for line in lines:
        if isinstance(line, bytes) and (
            line == b"packfile\n" if server.version == 2 else line.startswith((b"NAK", b"ACK "))
        ):
            return Pack(pack_data(lines), server.object_format, bare=bare)
    raise Unusable("its answer holds no pack")


def _proves(server: Server) -> bool:
    """Version 2 gives every object that there is, so its word is about being there. In version 0 the same
    words are also those of the policy; and that one allows any object, a server has no word for.

    Source: `parse_want` and `check_non_tip` in git's upload-pack.c
    """
    return server.version == 2


def _ask_second(
    server: Server, want: str, filtered: str | None, have: Iterable[str], *, shallow: bool
) -> bytes:
    """https://git-scm.com/docs/protocol-v2#_fetch"""
    lines = [
        packet("no-progress"),
        *([packet(f"filter {filtered}")] if filtered else []),
        *([packet("deepen 1")] if shallow else []),
        packet(f"want {want}"),
        *(packet(f"have {one}") for one in have),
        packet("done"),
    ]
    return b"".join([packet("command=fetch"), _format(server), DELIMITER, *lines, FLUSH])


def _ask_zeroth(
    server: Server, want: str, filtered: str | None, have: Iterable[str], *, shallow: bool
) -> bytes:
    """https://git-scm.com/docs/pack-protocol#_packfile_negotiation"""
    named = [_BANDS, "no-progress", *(["filter"] if filtered else [])]
    if server.object_format != "sha1":
        named.append(f"object-format={server.object_format}")
    lines = [
        packet(f"want {want} {' '.join(named)}"),
        *([packet("deepen 1")] if shallow else []),
        *([packet(f"filter {filtered}")] if filtered else []),
        FLUSH,
        *(packet(f"have {one}") for one in have),
        packet("done"),
    ]
    return b"".join(lines)
