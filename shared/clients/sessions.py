"""Connections by `requests` that send nothing which was not asked for, and end in time.

Each default that is switched off here would send something to a host, or read something from it, unseen.
"""

from typing import TYPE_CHECKING

from shared.clients.deadlines import adapter
from shared.clients.importing import IMPORTING

if TYPE_CHECKING:
    from requests import Session


def session(seconds: float, connections: int, *, cookies: bool = False) -> "Session":
    """seconds: for an answer as a whole. connections: kept open per host.

    cookies: whether those that a server sets go back to it: never in a session that threads share.
    """
    with IMPORTING:
        from http.cookiejar import DefaultCookiePolicy

        import requests

    class Direct(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> str | None:
            """None: else a redirect that nobody follows would be prepared all the same, and its body read to
            whatever end."""
            del resp
            return None

    made = Direct()
    # Else requests would put what a ~/.netrc holds for the host in place of our credential, or of none.
    made.auth = lambda prepared: prepared
    if not cookies:
        made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        made.mount(scheme, adapter(seconds, connections))
    return made
