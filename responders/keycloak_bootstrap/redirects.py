"""Whether a client of Keycloak accepts a redirect URI. Pure.

https://github.com/keycloak/keycloak/blob/main/services/src/main/java/org/keycloak/protocol/oidc/utils/RedirectUtils.java
"""

from collections.abc import Iterable


def accepts(held: Iterable[str], uri: str) -> bool:
    """Character for character, or by a star at the end.

    A URI that is relative to a root URL counts for nothing, as that URL is not known here: to add one that is
    accepted already harms nobody.
    """
    return any(one == uri or _stands_for(one, uri) for one in held)


def _stands_for(pattern: str, uri: str) -> bool:
    if not pattern.endswith("*"):
        return False
    beginning, bare = pattern[:-1], uri.partition("?")[0]
    return bare.startswith(beginning) or (beginning.endswith("/") and bare == beginning[:-1])
