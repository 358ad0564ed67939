"""What a test sees of dev's Keycloak, and of the Jobs that set it up."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.charts.keycloak_realm import values_text
from sandbox.keycloak_names import REALM, RELEASE
from sandbox.kubernetes_resources import APPLICATIONS, JOBS, PODS, SECRETS
from tests.sandbox.controllers.platform import Json, Platform
from tests.waiting import eventually

APPLICATION = f"dev-{RELEASE}"
VALUES = f"sources/values/env/dev/platform/{RELEASE}.yaml"
GITOPS = "ameideio/ameide-gitops"
REDIRECT = "https://gitlab.dev.ameide.io/users/auth/openid_connect/callback"


@dataclass
class Site:
    platform: Platform

    # -- what people do -----------------------------------------------------------------

    def edit(self, before: str, after: str) -> None:
        """Replace that text, once, in dev's values."""

        async def changed() -> None:
            forge = self.platform.cloud.forge
            text = await forge.read(GITOPS, "main", VALUES)
            assert text is not None
            assert before in text
            await forge.commit(GITOPS, "main", {VALUES: text.replace(before, after, 1)}, "Change values")

        self._done(changed())

    def mend(self) -> None:
        """Let dev's values be what they were at the start."""
        vault = self.platform.world.described["openbao"]["dev"]["address"]
        text = values_text(domain="dev.ameide.io", keycloak=self.url, vault=vault)
        self._done(self.platform.cloud.forge.commit(GITOPS, "main", {VALUES: text}, "Mend values"))

    def sync(self) -> None:
        """Once no operation runs, and until this one has succeeded."""

        def begin() -> bool:
            held = self.platform.objects.get(APPLICATIONS, "argocd", APPLICATION)
            assert held is not None
            if held.get("operation"):
                return False
            # Twice at most: what was broken when it begins may be so for a moment longer.
            held["operation"] = {"sync": {}, "retry": {"limit": 1}}
            held.get("status", {}).pop("operationState", None)
            self.platform.objects.replace(APPLICATIONS, held)
            return True

        eventually(lambda: self.platform.here(begin), "no operation runs")
        self.synced()

    def restore(self) -> None:
        """Let Keycloak, dev's values and what a sync makes of them be what they were at the start."""
        held = self.platform.cloud._controllers.stage("dev", self.platform.cloud.forge).keycloak
        held.stopped = False
        self.mend()
        if (client := held.realms.get(REALM, held.realms["master"]).find("reconverge")) is not None:
            client["secret"] = (self.secret("keycloak-reconverge") or {})["client-secret"]
        self.sync()

    def break_(self, name: str) -> None:
        self.platform.world.control.break_(name, "dev")

    # -- the cluster --------------------------------------------------------------------

    def application(self) -> Json:
        held = self.platform.here(lambda: self.platform.objects.get(APPLICATIONS, "argocd", APPLICATION))
        assert held is not None
        return held

    def synced(self, phase: str = "Succeeded") -> Json:
        """The operation that has ended so, once it has."""

        def look() -> Json | None:
            state = self.application().get("status", {}).get("operationState", {})
            return state if state.get("phase") == phase and not self.application().get("operation") else None

        return eventually(look, f"a sync ends with {phase}")

    def job(self, name: str) -> Json:
        return eventually(lambda: self.platform.get(JOBS, name), f"there is a Job {name}")

    def log(self, job: str) -> str:
        """Of the pods of that Job that there are."""

        def read() -> str:
            held = self.platform.objects
            return "".join(
                held.log("ameide-dev", pod["metadata"]["name"], one["name"])
                for pod in held.list(PODS, "ameide-dev")
                if pod["metadata"]["labels"].get("job-name") == job
                for one in pod["spec"]["containers"]
            )

        return self.platform.here(read)

    def secret(self, name: str) -> dict[str, str] | None:
        held = self.platform.get(SECRETS, name)
        return held and {key: base64.b64decode(value).decode() for key, value in held["data"].items()}

    # -- Keycloak -----------------------------------------------------------------------

    @property
    def url(self) -> str:
        return str(self.platform.world.described["web"]["dev"]["keycloak"])

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        ca = self.platform.world.described["ca"]
        return requests.request(method, f"{self.url}{path}", verify=ca, timeout=10, **options)

    def clients(self) -> dict[str, Json]:
        """What Reconverge's own client is shown of the realm, by client id."""
        held = self.secret("keycloak-reconverge")
        assert held is not None
        token = self.token(REALM, client_id="reconverge", client_secret=held["client-secret"])
        answer = self.ask("GET", f"/admin/realms/{REALM}/clients", headers=token)
        assert answer.status_code == 200
        return {one["clientId"]: one for one in answer.json()}

    def token(self, realm: str, grant: str = "client_credentials", **form: str) -> dict[str, str]:
        """The header for a request."""
        answer = self.ask(
            "POST", f"/realms/{realm}/protocol/openid-connect/token", data={"grant_type": grant, **form}
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def login_page(self, redirect: str = REDIRECT, client: str = "gitlab") -> requests.Response:
        asked = {"client_id": client, "redirect_uri": redirect, "response_type": "code", "scope": "openid"}
        return self.ask("GET", f"/realms/{REALM}/protocol/openid-connect/auth", params=asked)

    def _done(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.platform.loop).result(10)
