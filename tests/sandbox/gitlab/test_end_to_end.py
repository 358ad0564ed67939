"""From values in Git and secrets in Key Vault to a page that people see."""

from tests.sandbox.controllers.platform import eventually
from tests.sandbox.gitlab.site import Site, conditions, waiting


def test_a_rebuilt_cluster_has_a_working_gitlab_once_its_secrets_have_come(site: Site) -> None:
    site.becomes(502)
    site.seed()
    site.becomes(200)
    assert conditions(site.job("Complete"))["Complete"] == "CompletionsReached"
    eventually(lambda: site.application()["status"]["health"]["status"] == "Healthy", "it is Healthy")
    assert site.application()["status"]["sync"]["status"] == "Synced"
    assert site.application()["status"]["sourceType"] == "Helm"


def test_until_then_everything_waits_and_nothing_has_failed(site: Site) -> None:
    def waits() -> bool:
        pods = [*site.pods("migrations"), *site.pods("webservice"), *site.pods("sidekiq")]
        first = [waiting(one, name) for one in pods for name in ("migrations", "dependencies")]
        return first.count("CreateContainerConfigError") == 3

    eventually(waits, "three containers wait for their password")
    assert not [one for one in site.jobs() if conditions(one)]
    (pod, *_) = site.pods("webservice")
    site.platform.hears(pod["metadata"]["name"], 'Error: secret "gitlab-db-credentials" not found')
