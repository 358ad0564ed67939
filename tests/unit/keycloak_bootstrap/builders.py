"""A realm whose clients are usable, to take things away from."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from responders.keycloak_bootstrap.course import wanted_of
from responders.keycloak_bootstrap.facts import Change, Facts, Purpose, Rerun
from responders.keycloak_bootstrap.log_reasons import Cause
from shared import proposals
from shared.attempts import Attempt
from shared.clients.cluster_api import JobState
from shared.clients.fingerprints import Fingerprint
from shared.clients.git_files import FileAt
from shared.clients.github import PullRequest, State
from shared.clients.keycloak import Client
from shared.clients.vault import Held
from shared.clients.web import Page
from shared.clients.workloads import Config, Entry, Materialised, Work
from shared.landscape import (
    DeclaredClient,
    DeclaredHooks,
    DeclaredKeycloak,
    KeycloakLogin,
    ValuesFile,
)
from shared.model import Known, Read
from shared.yaml_documents import Document, Scalar
from tests.unit.applications.builders import application
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER, SUBSCRIPTION
from tests.unit.workloads import realm_import, work

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOW = START

URL = "https://auth.dev.ameide.io"
REALM = "ameide"
BOOTSTRAP = "master-bootstrap"
PATCHER = "client-patcher"
APPLICATION = "dev-platform-keycloak-realm"
CALLBACK = "https://gitlab.dev.ameide.io/users/auth/openid_connect/callback"
PORTAL = "https://platform.dev.ameide.io/api/auth/callback/keycloak"
REPOSITORY = "https://github.com/ameideio/ameide-gitops.git"
PATH = "sources/values/env/dev/platform/platform-keycloak-realm.yaml"
FILE = ValuesFile(repository=REPOSITORY, path=PATH)
KEY_VAULT = f"{SUBSCRIPTION}/Microsoft.KeyVault/vaults/ameidekv"
VAULT = "http://vault.dev:8200/secret"

RIGHT = """\
masterBootstrap:
  hook: Sync
  syncWave: "1"
clientPatcher:
  runId: "2025-12-18"
  hook: Sync
  syncWave: "2"
"""
WRONG = RIGHT.replace('hook: Sync\n  syncWave: "1"', 'hook: PostSync\n  syncWave: "1"')
HOOKS = DeclaredHooks(
    bootstrap=BOOTSTRAP,
    patcher=PATCHER,
    values=FILE,
    rerun="clientPatcher.runId",
    bootstrap_hook="masterBootstrap.hook",
    bootstrap_wave="masterBootstrap.syncWave",
    patcher_hook="clientPatcher.hook",
    patcher_wave="clientPatcher.syncWave",
)


def declared(**changes: Any) -> DeclaredKeycloak:
    base = DeclaredKeycloak(
        cluster="aks",
        namespace="ameide-dev",
        application=APPLICATION,
        url=URL,
        realm=REALM,
        login=KeycloakLogin(client_id="reconverge", key_vault=KEY_VAULT, secret="keycloak-reconverge"),
        realm_imports=("master-realm", "ameide-realm"),
        hooks=HOOKS,
        clients={
            "platform-app": DeclaredClient(redirect_uris=(PORTAL,), vault_key="platform-app-client-secret"),
            "gitlab": DeclaredClient(redirect_uris=(CALLBACK,), vault_key="gitlab-oidc-client-secret"),
        },
        secrets={
            "keycloak-realm-oidc-clients": {
                "platform-app-client-secret": "platform-app",
                "gitlab-oidc-client-secret": "gitlab",
            },
            "gitlab-oidc-provider": {},
        },
        digests="keycloak-client-secret-versions",
    )
    return base.model_copy(update=changes)


def hooks(**changes: Any) -> DeclaredKeycloak:
    return declared(hooks=HOOKS.model_copy(update=changes))


# -- the cluster ----------------------------------------------------------------------------


def bootstrap(**changes: Any) -> Known[Work]:
    """Complete an hour ago, unless told otherwise."""
    return Known(_work(BOOTSTRAP, HOUR, **{"hook": "Sync", "wave": 1, **changes}))


def patcher(**changes: Any) -> Known[Work]:
    """It began once the bootstrap had completed, and is complete."""
    return Known(_work(PATCHER, HOUR - MINUTE, **{"hook": "Sync", "wave": 2, **changes}))


def _work(name: str, age: timedelta, **changes: Any) -> Work:
    begun = NOW - age
    usual: dict[str, Any] = {
        "state": JobState.COMPLETE,
        "created": begun,
        "started": begun,
        "completed": begun + 30 * SECOND,
    }
    if changes.get("state", JobState.COMPLETE) is not JobState.COMPLETE:
        usual["completed"] = None
    return work(name, **{**usual, **changes})


FAILED = JobState.FAILED
ACTIVE = JobState.ACTIVE


def failed_patcher(**changes: Any) -> Known[Work]:
    return patcher(**{"state": FAILED, "reason": "BackoffLimitExceeded", **changes})


def logged(*causes: Cause, job: str = PATCHER) -> Mapping[str, Read[tuple[Cause, ...]]]:
    return {job: Known(causes)}


def secret(*keys: str, **entries: Entry) -> Known[Materialised]:
    """keys: those that are as the patcher published them"""
    well = {key: Entry(empty=False, placeholder=False, published=True) for key in keys}
    return Known(Materialised(entries={**well, **entries}, created=None))


def entry(*, empty: bool = False, placeholder: bool = False, published: bool | None = True) -> Entry:
    return Entry(empty=empty, placeholder=placeholder, published=published)


OIDC_KEYS = ("platform-app-client-secret", "gitlab-oidc-client-secret")


def secrets(**changes: Read[Materialised]) -> dict[str, Read[Materialised]]:
    """oidc, provider: what is read of each."""
    return {
        "keycloak-realm-oidc-clients": changes.get("oidc", secret(*OIDC_KEYS)),
        "gitlab-oidc-provider": changes.get("provider", secret("provider")),
    }


def digests(*keys: str) -> Known[Config]:
    data = dict.fromkeys(keys or ("platform-app", "gitlab"), "digest")
    return Known(Config(name="keycloak-client-secret-versions", labels={}, data=data, created=None))


def imports(**changes: Any) -> Known[tuple[Any, ...]]:
    """The second of them is as told."""
    return Known((realm_import("master-realm"), realm_import("ameide-realm", **changes)))


# -- Keycloak and Vault ---------------------------------------------------------------------


def client(name: str, *uris: str, enabled: bool = True) -> Client:
    return Client(uuid=f"uuid-{name}", client_id=name, enabled=enabled, redirect_uris=uris)


def clients(*others: Client) -> Known[tuple[Client, ...]]:
    """Both, of which others take the place by their ids."""
    usual = {"platform-app": client("platform-app", PORTAL), "gitlab": client("gitlab", CALLBACK)}
    return Known(tuple({**usual, **{one.client_id: one for one in others}}.values()))


def held(*, deleted: bool = False, without_value: bool = False, placeholder: bool = False) -> Known[Held]:
    shown = None if deleted or without_value else Fingerprint("digest", placeholder)
    return Known(Held(version=3, deleted=deleted, fingerprint=shown))


def keys(**changes: Read[Held]) -> dict[str, Read[Held]]:
    """gitlab: what is read of its key."""
    return {"platform-app-client-secret": held(), "gitlab-oidc-client-secret": changes.get("gitlab", held())}


# -- all ------------------------------------------------------------------------------------


def facts(**changes: Any) -> Facts:
    """Everything is well, unless told otherwise."""
    base = Facts(
        environment="dev",
        declared=declared(),
        cluster_id=CLUSTER,
        argocd=f"{CLUSTER}/namespaces/argocd",
        by_jobs=False,
        cluster=Known(None),
        imports=imports(),
        bootstrap=bootstrap(),
        patcher=patcher(),
        logs={},
        digests=digests(),
        secrets=secrets(),
        application=Known(application(APPLICATION)),
        page=Page(status=200),
        clients=clients(),
        vault=VAULT,
        login=Known(None),
        keys=keys(),
        tries={},
        reruns=(),
        blocked_at=None,
    )
    return replace(base, **changes)


def changing(
    given: Facts, purpose: Purpose, text: str = RIGHT, /, *pulls: PullRequest, **changes: Any
) -> Facts:
    """The same, with the change of values that is called for, of a file that says so.

    pulls: those that its branch had, newest first; the proposed file is as it should be
    """
    document = Document(text)
    names = (HOOKS.bootstrap_hook, HOOKS.bootstrap_wave, HOOKS.patcher_hook, HOOKS.patcher_wave, HOOKS.rerun)
    fields = {key: document.field(key) for key in names if key}
    given = replace(given, said={key: one.text for key, one in fields.items() if isinstance(one, Scalar)})
    wanted = wanted_of(given, purpose)
    if wanted is None:
        return given
    after = {key: value for key, value in wanted.items() if given.said.get(key) != value}
    before = {key: given.said.get(key, "") for key in after}
    wanted_text = document.edited(after, with_parents=True) if after else None
    proposal = proposals.Proposal(
        file=FILE,
        before=before,
        after=after,
        change=proposals.change_id(FILE.reference, before, after) if after else "",
        text=Known(FileAt(text, "c" * 40)),
        wanted_text=wanted_text,
        read_at=NOW,
        history=Known(pulls) if after else None,
        proposed=Known(FileAt(wanted_text or "", "d" * 40)) if pulls else None,
    )
    proposal = replace(proposal, **changes)
    return replace(given, change=Change(purpose=purpose, wanted=wanted, proposal=proposal))


def pull(state: State = State.OPEN, number: int = 7, **changes: Any) -> PullRequest:
    base = PullRequest(
        number=number, url=f"https://github.com/ameideio/ameide-gitops/pull/{number}", branch="b", state=state
    )
    return replace(base, **changes)


def attempt(
    action: str,
    situation: str = "",
    age: timedelta = 30 * SECOND,
    *,
    confirmed: bool = True,
    proven: bool = False,
) -> Attempt:
    return Attempt(at=NOW - age, situation=situation, action=action, confirmed=confirmed, proven=proven)


def tried(subject: str, *made: Attempt) -> dict[str, tuple[Attempt, ...]]:
    return {subject.lower(): made}


def ran(mends: str, *whats: str, of: str = FILE.reference) -> tuple[Rerun, ...]:
    """The Jobs were made to run an hour ago, by these values or uids."""
    return tuple(Rerun(at=NOW - HOUR, mends=mends, object=of, what=what) for what in whats)
