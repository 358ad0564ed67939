"""A seeded Vault to take things away from."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from responders.vault_seeding.facts import Facts
from shared.attempts import Attempt
from shared.clients.cluster_api import CronJob, Job, JobState, Synced
from shared.clients.fingerprints import Fingerprint
from shared.clients.key_vault import Secret, Sourced
from shared.clients.vault import Held, SealStatus
from shared.landscape import BootstrapJob, DeclaredVault, VaultLogin
from shared.model import Absent, Known, Read
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER, IDENTITY, SUBSCRIPTION

KEY_VAULT = f"{SUBSCRIPTION}/Microsoft.KeyVault/vaults/seeds-kv"
ADDRESS = "http://vault.dev:8200"
CRON_JOB = "vault-bootstrap"
MINUTE = timedelta(minutes=1)
NOW = START


def declared(**changes: Any) -> DeclaredVault:
    base = DeclaredVault(
        cluster="aks",
        namespace="dev",
        address=ADDRESS,
        login=VaultLogin(mount="jwt", role="reconverge"),
        bootstrap=BootstrapJob(cron_job=CRON_JOB, identity=IDENTITY, credential="vault-dev"),
        key_vault=KEY_VAULT,
        required_secrets=("ghcr-username",),
        seeds={"ghcr/token": "ghcr-token"},
        stores=("store",),
        external_secrets=("pull",),
    )
    return base.model_copy(update=changes)


def secret(name: str, **changes: Any) -> Secret:
    base = Secret(name=name, enabled=True, expires=None, not_before=None, updated=NOW - timedelta(days=9))
    return replace(base, **changes)


def source(digest: str = "right", *, placeholder: bool = False) -> Known[Sourced]:
    return Known(Sourced("v7", Fingerprint(digest, placeholder)))


def held(digest: str | None = "right", *, placeholder: bool = False, deleted: bool = False) -> Known[Held]:
    shown = None if digest is None else Fingerprint(digest, placeholder)
    return Known(Held(version=3, deleted=deleted, fingerprint=shown))


def cron_job(**changes: Any) -> Known[CronJob]:
    base = CronJob(
        uid="uid-1",
        schedule="*/1 * * * *",
        time_zone=None,
        suspended=False,
        created=NOW - timedelta(days=30),
        last_success=NOW - MINUTE,
    )
    return Known(replace(base, **changes))


def job(state: JobState = JobState.FAILED, age: timedelta = MINUTE, name: str = "job") -> Job:
    begun = NOW - age
    ended = begun + timedelta(seconds=5) if state is JobState.COMPLETE else None
    return Job(name=name, state=state, created=begun, completed=ended)


def synced(
    name: str, *, ready: bool = True, reason: str = "Valid", since: str = "once", reads: str = "store"
) -> Synced:
    return Synced(
        name=name, uid=f"uid-{name}", ready=ready, reason=reason, since=since, reads=frozenset({reads})
    )


def facts(**changes: Any) -> Facts:
    """Everything is well, unless told otherwise.

    attempts: of each object the only try
    """
    base = Facts(
        environment="dev",
        declared=declared(),
        cluster_id=CLUSTER,
        key_vault=Known("https://kv.vault.azure.net/"),
        secrets=Known((secret("ghcr-username"), secret("ghcr-token"))),
        sources={"ghcr-token": source()},
        seal=Known(SealStatus(initialised=True, sealed=False)),
        login=Known(None),
        held={"ghcr/token": held()},
        cron_job=cron_job(),
        jobs=Known(()),
        log=Absent(),
        stores=Known((synced("store"),)),
        external_secrets=Known((synced("pull", reason="SecretSynced"),)),
        told={},
        tries={},
        may_start=True,
        rests_on=frozenset(),
    )
    newest = changes.pop("attempts", {})
    return replace(base, **{"tries": {key: (one,) for key, one in newest.items()}, **changes})


def failing(*causes: Any, **changes: Any) -> Facts:
    """A bootstrap that never succeeded on a cluster that is old enough, and what its log says."""
    usual: dict[str, Read[Any]] = {
        "cron_job": cron_job(last_success=None),
        "jobs": Known((job(),)),
        "log": Known(causes),
    }
    return facts(**{**usual, **changes})


def attempt(
    situation: str, age: timedelta = timedelta(seconds=30), *, confirmed: bool = True, proven: bool = False
) -> Attempt:
    return Attempt(at=NOW - age, situation=situation, confirmed=confirmed, proven=proven)
