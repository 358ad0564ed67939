"""Addresses of what people open in a browser. Probes go to these and to nothing else."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from shared.landscape.forms import HOST, Form

_PORT: Final = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

WEB_ADDRESS: Final = Form(
    # Nothing before the host: a password in the address would end up in plans and journals.
    pattern=rf"https://{HOST}(?::{_PORT})?",
    otherwise="write the address with https and without a path, such as https://gitlab.dev.ameide.io",
    longest=270,
)
type WebAddress = Annotated[str, WEB_ADDRESS]

type PagePath = Annotated[
    str,
    Form(
        pattern=r"(?:/[-\w.~]+)+/?|/",
        otherwise="write the path of a page, such as /users/sign_in",
        longest=200,
    ),
]

type RedirectUri = Annotated[
    str,
    Form(
        # Keycloak takes a star at the end, and it compares every other character.
        # https://www.keycloak.org/docs/latest/server_admin/#con-basic-settings_server_administration_guide
        pattern=r"[a-z][-a-z0-9+.]*://[!-)+-~]+\*?",
        otherwise="write one redirect URI as the client sends it, such as"
        " https://gitlab.dev.ameide.io/users/auth/openid_connect/callback",
        longest=2000,
    ),
]


def same_web_address(one: str, other: str) -> bool:
    """Whether two well-formed addresses are one: a default port may be written or left out."""
    return _place(one) == _place(other)


def _place(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return (parts.hostname or "").lower(), parts.port or 443
