"""GitLab as browsers reach it: the platform's gateway, and a pod of webservice behind it."""

from aiohttp import web

from sandbox.gitlab import Gateway, GitLab
from sandbox.traffic import Handler


def handler(gitlab: GitLab) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        match gitlab.gateway:
            case Gateway.NO_ROUTE:
                return web.Response(status=404)
            case Gateway.RESTRICTED:
                return web.Response(status=403, text="RBAC: access denied")
            case Gateway.CIRCLE:
                return web.Response(
                    status=301, headers={"Location": f"https://{request.host}{request.path_qs}"}
                )
            case Gateway.CUT:
                if request.transport:
                    request.transport.abort()
                return web.Response(status=502)
        page = gitlab.answer(request.method, request.path, request.remote or "")
        if page is None:
            # The gateway's word for a route that leads to no pod which is ready.
            return web.Response(status=502, text="no healthy upstream")
        headers = {}
        if page.location is not None:
            there = page.location
            headers["Location"] = f"https://{request.host}{there}" if there.startswith("/") else there
        kind = "text/html" if page.text.startswith("<") else "text/plain"
        return web.Response(status=page.status, text=page.text, content_type=kind, headers=headers)

    return handle
