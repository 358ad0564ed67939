"""Addresses of Git repositories: which can be asked over https, and what .gitmodules means by one."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

LONGEST: Final = 2000
"""Characters of an address: more is no address but an attack."""

_HOST: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[1-9][0-9]{0,4})?", re.ASCII)
_USER: Final = re.compile(r"(?P<scheme>[A-Za-z][-+.A-Za-z0-9]*://)[^/?#]*@", re.ASCII)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    """In lower case, with its port where that is not 443."""
    path: str
    """Without a slash at either end."""

    @property
    def url(self) -> str:
        return f"https://{self.host}/{self.path}"


def read_address(url: str) -> Address | None:
    """None for what is no plain https address of a repository: another scheme, a query, a path that climbs.

    A name or a password in it is left out.
    """
    if len(url) > LONGEST or not url.startswith("https://") or _UNPRINTABLE.search(url):
        return None
    try:
        parts = urlsplit(without_user(url))
    except ValueError:
        return None
    host, path = parts.netloc.lower().removesuffix(":443"), parts.path.strip("/")
    if parts.query or parts.fragment or "?" in url or "#" in url or not _HOST.fullmatch(host):
        return None
    segments = unquote(path).split("/")
    # What joins addresses on the way would undo a climb; nobody means one.
    return None if {"", ".", ".."} & set(segments) else Address(host, path)


def without_user(url: str) -> str:
    """The address without the name and the password that it may hold: they are shown to nobody."""
    return _USER.sub(r"\g<scheme>", url)


def resolve(parent_url: str, url: str) -> str | None:
    """The address that a submodule's `url` means in a repository that was itself read from `parent_url`.

    None: it does not lead to an https address (ssh, scp-like, git and file addresses), so it cannot be asked.
    A name or a password in it is left out.

    Source: https://git-scm.com/docs/git-submodule (relative), and `relative_url` in git's remote.c
    """
    if url.startswith(("./", "../")):
        url = _relative(parent_url.removesuffix("/"), url)
    found = read_address(url)
    return found.url if found else None


def _relative(base: str, url: str) -> str:
    """Each `../` takes the last part off the parent's address."""
    while url.startswith(("./", "../")):
        if url.startswith("../"):
            base = base.rpartition("/")[0]
        url = url.partition("/")[2]
    return f"{base}/{url}".removesuffix("/")
