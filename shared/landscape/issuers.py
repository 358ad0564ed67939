"""Does a contract's host pattern cover an issuer?

Exact on purpose: whoever can make this answer yes for a host of their own can make an identity trust them.
"""

import re
from functools import lru_cache
from typing import Final

# Stricter than any URL parser: no user information, query, fragment, blank, backslash, dot at the end of the
# host, or letter outside ASCII, so that nobody after us can read another host in the same text.
ISSUER: Final = re.compile(
    r"https://(?P<host>[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[-A-Za-z0-9._~!$&'()*+,;=:@/%]*)?"
)
_HTTPS: Final = "443"


@lru_cache  # an environment's credentials trust a handful of issuers
def allowed(issuer: str, patterns: tuple[str, ...]) -> bool:
    """Whether any pattern covers the issuer's host and port.

    A pattern is a host, or `*.` and a domain (one or more labels before it, never the domain alone), then
    optionally `:<port>` or `:*`; without a port it means 443.
    """
    found = ISSUER.fullmatch(issuer)
    if found is None or ".." in found["host"]:
        return False
    host, port = found["host"].lower(), found["port"] or _HTTPS
    return any(_covers(pattern.lower(), host, port) for pattern in patterns)


def _covers(pattern: str, host: str, port: str) -> bool:
    wanted_host, _, wanted_port = pattern.partition(":")
    if wanted_port != "*" and int(wanted_port or _HTTPS) != int(port):
        return False
    if wanted_host.startswith("*."):
        return host.endswith(wanted_host[1:])
    return host == wanted_host
