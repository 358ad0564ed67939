"""The OIDC issuers of clusters: discovery document and keys, until the cluster is deleted.

https://learn.microsoft.com/azure/aks/use-oidc-issuer
"""

from aiohttp import web

from sandbox.cloud import Cloud, IssuerUnreachableError
from sandbox.keys import IssuerKeys, jwks


class Issuers:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        base = "/oic/{tenant}/{uid}"
        return [
            web.get(f"{base}/.well-known/openid-configuration", self._discovery),
            web.get(f"{base}/openid/v1/jwks", self._jwks),
        ]

    async def _discovery(self, request: web.Request) -> web.Response:
        issuer, keys = self._published(request)
        if keys is None:
            return _gone()
        return web.json_response(
            {
                "issuer": issuer,
                "jwks_uri": f"{issuer}openid/v1/jwks",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _jwks(self, request: web.Request) -> web.Response:
        _, keys = self._published(request)
        return _gone() if keys is None else web.json_response(jwks(keys.published()))

    def _published(self, request: web.Request) -> tuple[str, IssuerKeys | None]:
        tenant, uid = request.match_info["tenant"], request.match_info["uid"]
        issuer = self._cloud.issuer_url(uid)
        if tenant != self._cloud.tenant:
            return issuer, None
        try:
            return issuer, self._cloud.published_keys(issuer)
        except IssuerUnreachableError:
            return issuer, None


def _gone() -> web.Response:
    return web.Response(status=404, text="The issuer's cluster does not exist.")
