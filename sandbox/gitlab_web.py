"""GitLab as browsers reach it: the platform's gateway, and a pod of webservice behind it."""

from collections.abc import Callable

from aiohttp import web

from sandbox.gitlab import GitLab


class GitLabWeb:
    def __init__(self, gitlab: Callable[[], GitLab | None]) -> None:
        """gitlab: that of the present build; None while there is no cluster"""
        self._gitlab = gitlab

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        gitlab = self._gitlab()
        page = gitlab.answer(request.method, request.path, request.remote or "") if gitlab else None
        if page is None:
            return web.Response(status=502, text="no healthy upstream")
        headers = {}
        if page.location is not None:
            there = page.location
            headers["Location"] = f"https://{request.host}{there}" if there.startswith("/") else there
        kind = "text/html" if page.text.startswith("<") else "text/plain"
        return web.Response(status=page.status, text=page.text, content_type=kind, headers=headers)
