"""From a report of Argo CD to an Application that is synced again, by way of the root."""

from datetime import timedelta

import pytest

from shared import signals
from shared.errors import Throttled
from shared.journal import Kind
from shared.memory import MemoryMessages
from shared.model import Signal, Source, Target
from shared.signals import REPORTED
from tests.unit.app import DEV, App, cluster_written, contract, environment, rebuilt
from tests.unit.applications.builders import SECOND, application, declared, operation, unsynced
from tests.unit.federated_credentials.builders import IDENTITY
from tests.unit.platform import PUT

APPLICATIONS = Target("dev", "applications")
APP = "dev-vault-bootstrap"
REFUSED = (
    "AADSTS700211: No matching federated identity record found for presented assertion issuer 'https://x'"
)


@pytest.fixture
def app() -> App:
    """A cluster was rebuilt, so a hook was refused by Entra, and the sync failed."""
    may = contract(identities=(IDENTITY,), applications=("dev-*",))
    app = rebuilt(environment(contract=may).model_copy(update={"argocd": declared()}))
    argocd = app.platform.argocd
    argocd.held = {APP: unsynced(REFUSED, APP), "dev-x": application("dev-x")}
    argocd.refreshed = lambda name: argocd.change(name, refreshing=False)

    def sync(name: str) -> None:
        done = operation(age=-timedelta(hours=1))
        argocd.change(name, requested=False, sync="Synced", operation=done)

    argocd.synced = sync
    return app


def report(app: App, subject: str) -> None:
    signal = Signal(
        source=Source.ARGO_CD, kind=REPORTED, subject=subject, time=app.clock(), correlation_id="told"
    )
    MemoryMessages.send(app.messages, signals.QUEUE, signals.to_message(signal))


@pytest.mark.parametrize("subject", [f"argocd/{APP}", "*"])
def test_a_report_finds_the_root_and_tells_nobody(app: App, subject: str) -> None:
    app.platform.lay(PUT, Throttled("429", delay=90 * SECOND))
    report(app, subject)
    app.work_off()
    state = app.state(APPLICATIONS)
    assert (state.word, state.blocked_by) == ("blocked", str(DEV))
    assert app.platform.argocd.asked == []
    assert app.told.kinds == []


def test_a_report_alone_wakes_the_root_as_well_that_no_rule_names(app: App) -> None:
    report(app, f"argocd/{APP}")
    app.let(5 * 60 * SECOND)
    assert app.state(DEV).word == "repaired"
    assert app.platform.argocd.asked == [("refresh", APP), ("sync", APP)]


def test_the_application_is_synced_once_the_root_is_repaired(app: App) -> None:
    app.platform.lay(PUT, Throttled("429", delay=90 * SECOND))
    report(app, f"argocd/{APP}")
    app.deliver(cluster_written())
    app.work_off()
    assert app.state(APPLICATIONS).word == "blocked"
    app.let(5 * 60 * SECOND)
    assert app.state(DEV).word == "repaired"
    assert app.platform.argocd.asked == [("refresh", APP), ("sync", APP)]
    assert app.state(APPLICATIONS).word in ("repaired", "converged")
    assert {one.detail["object"].rpartition("/")[2] for one in app.journal(APPLICATIONS, Kind.PROOF)} == {APP}


def test_a_report_that_is_lost_costs_time_only(app: App) -> None:
    app.sweep()
    app.let(5 * 60 * SECOND)
    app.sweep()
    app.let(5 * 60 * SECOND)
    assert app.platform.argocd.asked == [("refresh", APP), ("sync", APP)]


def test_a_report_of_an_application_that_no_environment_declares_is_counted(app: App) -> None:
    report(app, "argocd/production-x")
    app.work_off()
    assert app.service.journal.counts(app.clock()) == {f"undeclared {REPORTED}": 1}
    assert app.looks(APPLICATIONS) == 0
