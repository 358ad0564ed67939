"""From values in Git and secrets in Key Vault to a page that people see."""

from urllib.parse import parse_qs, urlsplit

import requests

from sandbox.gitlab_sources import PROVIDER
from sandbox.kubernetes_resources import JOBS, PODS, SECRETS
from tests.sandbox.gitlab.site import Site, conditions, waiting
from tests.waiting import eventually

KEY = "gitlab-oidc-client-secret"


def test_a_rebuilt_cluster_has_a_working_gitlab_once_its_secrets_have_come(rebuilt: Site) -> None:
    rebuilt.becomes(502)
    rebuilt.seed()
    rebuilt.becomes(200)
    assert conditions(rebuilt.job("Complete"))["Complete"] == "CompletionsReached"
    eventually(lambda: rebuilt.application()["status"]["health"]["status"] == "Healthy", "it is Healthy")
    assert rebuilt.application()["status"]["sync"]["status"] == "Synced"
    assert rebuilt.application()["status"]["sourceType"] == "Helm"


def test_until_then_everything_waits_and_nothing_has_failed(rebuilt: Site) -> None:
    def waits() -> bool:
        pods = [*rebuilt.pods("migrations"), *rebuilt.pods("webservice"), *rebuilt.pods("sidekiq")]
        found = [waiting(one, name) for one in pods for name in ("migrations", "dependencies")]
        return found.count("CreateContainerConfigError") == 3

    eventually(waits, "three containers wait for their password")
    assert not [one for one in rebuilt.jobs() if conditions(one)]
    (pod, *_) = rebuilt.pods("webservice")
    rebuilt.platform.hears(pod["metadata"]["name"], 'Error: secret "gitlab-db-credentials" not found')


def test_the_tables_are_not_enough_without_the_secret_of_keycloak(well: Site) -> None:
    """What people sign in with comes from Keycloak's Jobs, and webservice does not start without it."""
    platform = well.platform

    def lose() -> None:
        for pod in platform.objects.list(PODS, "ameide-dev"):
            if pod["metadata"]["labels"].get("app") == "webservice":
                platform.objects.delete(PODS, "ameide-dev", pod["metadata"]["name"])
        platform.objects.delete(SECRETS, "ameide-dev", PROVIDER)

    # External Secrets makes a Secret anew that was deleted, unless Vault has nothing to make it of.
    vault = platform.bao().secrets.kv.v2
    value = platform.held(KEY)
    vault.delete_metadata_and_all_versions(KEY, mount_point="secret")
    try:
        platform.here(lose)
        eventually(
            lambda: (
                [waiting(pod, "webservice") for pod in well.pods("webservice")]
                == ["CreateContainerConfigError"]
            ),
            "webservice waits",
        )
        assert well.ask().status_code == 502
    finally:
        vault.create_or_update_secret(KEY, {"value": value}, mount_point="secret")
    platform.world.control.turn(sync_seconds=0.5)
    well.becomes(200)


def test_signing_in_leads_to_keycloak_which_knows_the_client(well: Site) -> None:
    answer = well.ask("/users/auth/openid_connect", "POST")
    assert answer.status_code == 302
    told = well.platform.world.described
    there = urlsplit(answer.headers["Location"])
    assert f"https://{there.netloc}" == told["web"]["dev"]["keycloak"]
    assert there.path == "/realms/ameide/protocol/openid-connect/auth"
    assert parse_qs(there.query)["client_id"] == ["gitlab"]
    assert requests.get(answer.headers["Location"], verify=told["ca"], timeout=10).status_code == 200


def test_every_page_but_the_first_leads_to_it(well: Site) -> None:
    answer = well.ask("/")
    assert answer.status_code == 302
    where = well.platform.world.described["web"]["dev"]["gitlab"]
    assert answer.headers["Location"] == f"{where}/users/sign_in"


def test_of_the_jobs_in_the_background_none_is_the_migrations(well: Site) -> None:
    found = [one for one in well.platform.all(JOBS) if "-migrations-" in one["metadata"]["name"]]
    parts = {
        one["metadata"]["name"].rpartition("-")[0]: one["metadata"]["labels"].get(
            "app.kubernetes.io/component"
        )
        for one in found
    }
    assert parts == {"platform-gitlab-migrations": None, "platform-gitlab-migrations-bbm": "bbm"}
    assert {one["metadata"]["labels"]["app"] for one in found} == {"migrations"}
    eventually(
        lambda: all("Complete" in conditions(one) for one in well.platform.all(JOBS) if "-bbm-" in str(one)),
        "the background's is complete, too",
    )


def test_a_build_does_not_know_the_tables_of_the_one_before(well: Site) -> None:
    well.platform.rebuild()
    assert not any(one.migrated for one in well.gitlab.postgres.databases.values())
    well.becomes(502)


def test_the_other_environment_stays_down(well: Site) -> None:
    told = well.platform.world.described
    answer = requests.get(f"{told['web']['prod']['gitlab']}/users/sign_in", verify=told["ca"], timeout=10)
    assert answer.status_code == 502
