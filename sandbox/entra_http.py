"""Entra's public face: the token endpoint, its metadata, and what the `az` command line asks of a cloud."""

from aiohttp import web

from sandbox.cloud import Cloud
from sandbox.entra import Entra
from sandbox.entra_errors import EntraError
from sandbox.keys import Json, jwks
from sandbox.tokens import Caller, Tokens
from sandbox.traffic import CALLER, OPERATION

_ANY_TENANT = frozenset({"common", "organizations"})
"""Authorities that have metadata; `az logout` reads it."""


class EntraHttp:
    def __init__(self, cloud: Cloud, entra: Entra, tokens: Tokens) -> None:
        self._cloud = cloud
        self._entra = entra
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/metadata/endpoints", self._endpoints),
            web.get("/common/discovery/instance", self._instance),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._metadata),
            web.get("/{tenant}/discovery/v2.0/keys", self._keys),
            web.post("/{tenant}/oauth2/v2.0/token", self._token),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        request[OPERATION] = "token"
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        try:
            principal, answer = self._entra.grant(request.match_info["tenant"], form)
        except EntraError as refused:
            return self._refusal(refused)
        request[CALLER] = Caller(object_id=principal.object_id, client_id=principal.client_id, claims={})
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    async def _metadata(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        if tenant not in _ANY_TENANT:
            try:
                self._entra.require_tenant(tenant)
            except EntraError as refused:
                return self._refusal(refused)
        authority = f"{self._cloud.base_url}/{tenant}"
        document: Json = {
            "issuer": f"{authority}/v2.0",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "token id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "tenant_region_scope": "EU",
        }
        return web.json_response(document)

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(jwks((self._tokens.key,)))

    async def _instance(self, _: web.Request) -> web.Response:
        """Vouches for the sandbox's own authority, for clients that ask before they trust it."""
        host = self._cloud.base_url.removeprefix("https://")
        endpoint = f"{self._cloud.base_url}/{self._cloud.tenant}/v2.0/.well-known/openid-configuration"
        return web.json_response(
            {
                "tenant_discovery_endpoint": endpoint,
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            }
        )

    async def _endpoints(self, _: web.Request) -> web.Response:
        """The description of this cloud that `az cloud register --endpoint-resource-manager` reads."""
        base = self._cloud.base_url
        return web.json_response(
            {
                "name": "Sandbox",
                "resourceManager": f"{base}/",
                "portal": base,
                "gallery": f"{base}/",
                "graph": f"{base}/",
                "graphAudience": f"{base}/",
                "microsoftGraphResourceId": f"{base}/",
                "batch": f"{base}/",
                "media": f"{base}/",
                "sqlManagement": f"{base}/",
                "vmImageAliasDoc": f"{base}/",
                "authentication": {
                    "loginEndpoint": base,
                    "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
                    "tenant": self._cloud.tenant,
                    "identityProvider": "AAD",
                },
                "suffixes": {
                    "storage": "core.windows.net",
                    "keyVaultDns": "vault.azure.net",
                    "acrLoginServer": "azurecr.io",
                    "sqlServerHostname": "database.windows.net",
                },
            }
        )

    def _refusal(self, refused: EntraError) -> web.Response:
        return web.json_response(refused.body(self._cloud.clock()), status=refused.kind.status)
