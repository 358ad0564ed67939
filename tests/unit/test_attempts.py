"""What a target tried already, as its journal tells it."""

from shared.attempts import attempts
from shared.journal import Kind
from tests.unit.vault_seeding.test_run import TARGET, Stage


def test_a_run_that_was_taken_over_tells_of_its_own_try_alone() -> None:
    stage = Stage()

    def record(kind: Kind, run: str, **detail: object) -> None:
        stage.journal.record(
            kind, TARGET, actor="r", correlation_id="c", run=run, detail={"object": "x", **detail}
        )

    record(Kind.STEP_STARTED, "lost its lease", action="secrets.refresh", after={"situation": "a"})
    record(Kind.STEP_STARTED, "took over", action="secrets.refresh", after={"situation": "b"})
    record(Kind.STEP_DONE, "took over")
    record(Kind.STEP_FAILED, "lost its lease", error="403", written=False)
    newest = attempts(stage.scope())["x"]
    assert (newest.situation, newest.confirmed) == ("b", True)
