"""What GitHub's REST API refuses, with which status and in which words. Documentation is below https://docs.github.com/rest."""

from typing import Any

import pytest

from tests.sandbox.github.says import NEW, NOWHERE, Says, refused
from tests.sandbox.github.served import Place, Served
from tests.sandbox.github.workflows import FILE, Job, with_workflow

FILES = "repos/contents#create-or-update-file-contents"
CREATE_REF, MOVE_REF = "git/refs#create-a-reference", "git/refs#update-a-reference"
CREATE_PULL = "pulls/pulls#create-a-pull-request"
DISPATCH = "actions/workflows#create-a-workflow-dispatch-event"

TREE, COMMIT = "git/trees#create-a-tree", "git/commits#create-a-commit"


def tree_of(message: str, **entry: Any) -> Says:
    return Says(TREE, "POST", "git/trees", 422, message, {"tree": [entry]})


REFUSALS: dict[str, Says] = {
    "a file that is not there": Says(
        "repos/contents#get-repository-content", "GET", "contents/none", 404, "Not Found"
    ),
    "a file of a ref that is not there": Says(
        "repos/contents#get-repository-content",
        "GET",
        "contents/README.md?ref=none",
        404,
        "No commit found for the ref none",
    ),
    "a file replaced by who does not know it": Says(
        FILES, "PUT", "contents/README.md", 422, 'Invalid request.\n\n"sha" wasn\'t supplied.', NEW
    ),
    "a file replaced by who knows another": Says(
        FILES,
        "PUT",
        "contents/README.md",
        409,
        f"README.md does not match {NOWHERE}",
        {**NEW, "sha": NOWHERE},
    ),
    "a file without a message": Says(
        FILES, "PUT", "contents/n", 422, 'Invalid request.\n\n"message" wasn\'t supplied.', {"content": ""}
    ),
    "a file that is no base64": Says(
        FILES, "PUT", "contents/n", 422, "content is not valid Base64", {**NEW, "content": "é"}
    ),
    "a file on a branch that is not there": Says(
        FILES, "PUT", "contents/n", 404, "Branch none not found", {**NEW, "branch": "none"}
    ),
    "a file at a place that is none": Says(
        FILES, "PUT", "contents/a/.git/b", 422, "path contains a malformed path component", NEW
    ),
    "a branch that is not there": Says(
        "branches/branches#get-a-branch", "GET", "branches/none", 404, "Branch not found"
    ),
    "a reference that is not there": Says(
        "git/refs#get-a-reference", "GET", "git/ref/heads/none", 404, "Not Found"
    ),
    "a reference that exists": Says(
        CREATE_REF,
        "POST",
        "git/refs",
        422,
        "Reference already exists",
        {"ref": "refs/heads/next", "sha": NOWHERE},
    ),
    "a reference to nothing": Says(
        CREATE_REF, "POST", "git/refs", 422, "Object does not exist", {"ref": "refs/heads/n", "sha": NOWHERE}
    ),
    "a reference with half a name": Says(
        CREATE_REF,
        "POST",
        "git/refs",
        422,
        "Reference name must start with 'refs/' and contain at least two slashes.",
        {"ref": "main", "sha": NOWHERE},
    ),
    "a move of a reference that is not there": Says(
        MOVE_REF, "PATCH", "git/refs/heads/none", 422, "Reference does not exist", {"sha": NOWHERE}
    ),
    "a move to nothing": Says(
        MOVE_REF, "PATCH", "git/refs/heads/next", 422, "Object does not exist", {"sha": NOWHERE}
    ),
    "a deletion of a reference that is not there": Says(
        "git/refs#delete-a-reference", "DELETE", "git/refs/heads/none", 422, "Reference does not exist"
    ),
    "a tree that is not there": Says("git/trees#get-a-tree", "GET", f"git/trees/{NOWHERE}", 404, "Not Found"),
    "a tree of nothing": Says(
        TREE, "POST", "git/trees", 422, 'Invalid request.\n\n"tree" wasn\'t supplied.', {}
    ),
    "a tree upon nothing": Says(
        TREE,
        "POST",
        "git/trees",
        422,
        "base_tree is not a valid tree oid",
        {"base_tree": NOWHERE, "tree": []},
    ),
    "a tree with a file of no content": tree_of(
        f"tree.sha {NOWHERE} is not a valid blob", path="a", mode="100644", type="blob", sha=NOWHERE
    ),
    "a tree with a submodule of no commit": tree_of(
        "tree.sha main is not a valid commit", path="a", mode="160000", type="commit", sha="main"
    ),
    "a tree with a kind of file that is none": tree_of(
        "Must supply a valid tree.mode", path="a", mode="100664", type="blob", content="x"
    ),
    "a tree with a place that is none": tree_of(
        "tree.path contains a malformed path component", path="a/../b", mode="100644", content="x"
    ),
    "a tree without a file that it never had": tree_of(
        "GitRPC::BadObjectState", path="none", mode="100644", type="blob", sha=None
    ),
    "a commit of nothing": Says(
        COMMIT, "POST", "git/commits", 422, "Tree SHA does not exist", {"message": "m", "tree": NOWHERE}
    ),
    "a commit without a message": Says(
        COMMIT,
        "POST",
        "git/commits",
        422,
        'Invalid request.\n\n"message" wasn\'t supplied.',
        {"tree": NOWHERE},
    ),
    "a commit's object that is not there": Says(
        "git/commits#get-a-commit-object", "GET", f"git/commits/{NOWHERE}", 404, "Not Found"
    ),
    "a commit that is not there": Says(
        "commits/commits#get-a-commit",
        "GET",
        f"commits/{NOWHERE}",
        422,
        f"No commit found for SHA: {NOWHERE}",
    ),
    "a comparison with nothing": Says(
        "commits/commits#compare-two-commits", "GET", "compare/main...none", 404, "Not Found"
    ),
    "a pull request from nowhere": Says(
        CREATE_PULL,
        "POST",
        "pulls",
        422,
        "Validation Failed",
        {"title": "t", "head": "none", "base": "main"},
        "head",
    ),
    "a pull request into nowhere": Says(
        CREATE_PULL,
        "POST",
        "pulls",
        422,
        "Validation Failed",
        {"title": "t", "head": "next", "base": "none"},
        "base",
    ),
    "a pull request without a difference": Says(
        CREATE_PULL,
        "POST",
        "pulls",
        422,
        "Validation Failed",
        {"title": "t", "head": "same", "base": "main"},
        "No commits between main and same",
    ),
    "a pull request that is not there": Says(
        "pulls/pulls#get-a-pull-request", "GET", "pulls/99", 404, "Not Found"
    ),
    "a comment on nothing": Says(
        "issues/comments#create-an-issue-comment",
        "POST",
        "issues/99/comments",
        404,
        "Not Found",
        {"body": "b"},
    ),
    "a body that is no JSON object": Says(
        CREATE_PULL, "POST", "pulls", 400, "Body should be a JSON object", []
    ),
    "a workflow that is not there": Says(
        "actions/workflows#get-a-workflow", "GET", "actions/workflows/none.yaml", 404, "Not Found"
    ),
    "a start of a workflow that is not there": Says(
        DISPATCH, "POST", "actions/workflows/none.yaml/dispatches", 404, "Not Found", {"ref": "main"}
    ),
    "a run that is not there": Says(
        "actions/workflow-runs#get-a-workflow-run", "GET", "actions/runs/1", 404, "Not Found"
    ),
}


@pytest.mark.parametrize("says", REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_done_is_refused_and_changes_nothing(laid: Place, says: Says) -> None:
    before = laid.ask("GET", "git/refs").json()
    refused(laid, says)
    assert laid.ask("GET", "git/refs").json() == before
    assert laid.ask("GET", "pulls?state=all").json() == []


def test_a_commit_upon_nothing_is_refused(place: Place) -> None:
    tree = place.ask("GET", "git/trees/main").json()["sha"]
    body = {"message": "m", "tree": tree, "parents": [tree]}
    said = "Parent SHA does not exist or is not a commit object"
    refused(place, Says(COMMIT, "POST", "git/commits", 422, said, body))


def in_workflow(status: int, message: str, **body: Any) -> Says:
    return Says(DISPATCH, "POST", f"actions/workflows/{FILE}/dispatches", status, message, body)


OF_WORKFLOWS: dict[str, Says] = {
    "a ref that is not there": in_workflow(422, "No ref found for: none", ref="none"),
    "no ref": in_workflow(422, 'Invalid request.\n\n"ref" wasn\'t supplied.'),
    "an input it does not have": in_workflow(
        422, 'Unexpected inputs provided: ["who"]', ref="main", inputs={"environment": "dev", "who": "x"}
    ),
    "an input that is missing": in_workflow(422, "Required input 'environment' not provided", ref="main"),
    "an input that is none of its options": in_workflow(
        422,
        "Provided value 'moon' for input 'environment' not in the list of allowed values",
        ref="main",
        inputs={"environment": "moon"},
    ),
    "one that cannot be started by hand": Says(
        DISPATCH,
        "POST",
        "actions/workflows/on-push.yaml/dispatches",
        422,
        "Workflow does not have 'workflow_dispatch' trigger",
        {"ref": "main"},
    ),
}


@pytest.mark.parametrize("says", OF_WORKFLOWS.values(), ids=OF_WORKFLOWS)
def test_a_workflow_is_not_started_with(served: Served, says: Says) -> None:
    place = with_workflow(served, Job())
    refused(place, says)
    assert place.ask("GET", f"actions/workflows/{FILE}/runs").json()["total_count"] == 0
