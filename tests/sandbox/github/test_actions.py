"""Workflows and their runs by the REST API. Documentation is below https://docs.github.com/rest."""

from tests.sandbox.github.served import Served
from tests.sandbox.github.workflows import FILE, Job, ended, with_workflow


def test_a_workflow_is_shown_by_its_file_or_its_id(served: Served) -> None:
    """https://docs.github.com/rest/actions/workflows#get-a-workflow"""
    place = with_workflow(served, Job())
    shown = place.ask("GET", f"actions/workflows/{FILE}").json()
    assert (shown["name"], shown["path"], shown["state"]) == ("Apply", f".github/workflows/{FILE}", "active")
    assert place.ask("GET", f"actions/workflows/{shown['id']}").json() == shown
    assert place.ask("GET", "actions/workflows").json()["total_count"] == 2


def test_a_start_makes_a_run_that_ends(served: Served) -> None:
    """https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event"""
    place = with_workflow(served, Job())
    path = f"actions/workflows/{FILE}"
    asked = {"ref": "main", "inputs": {"environment": "dev"}}
    assert place.ask("POST", f"{path}/dispatches", asked).status_code == 204
    told = place.ask("POST", f"{path}/dispatches", {**asked, "return_run_details": True})
    assert told.status_code == 200
    newest, oldest = ended(place, 2)
    assert newest["id"] == told.json()["workflow_run_id"]
    assert (oldest["status"], oldest["conclusion"], oldest["event"]) == (
        "completed",
        "success",
        "workflow_dispatch",
    )
    assert (oldest["head_sha"], oldest["head_branch"]) == (place.head(), "main")
    assert place.ask("GET", f"actions/runs/{oldest['id']}").json() == oldest
    assert place.ask("GET", f"{path}/runs?event=push").json() == {"total_count": 0, "workflow_runs": []}
    page = place.ask("GET", f"{path}/runs?event=workflow_dispatch&per_page=1").json()
    assert (page["total_count"], [one["id"] for one in page["workflow_runs"]]) == (2, [newest["id"]])
