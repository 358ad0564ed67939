"""Rows for what goes wrong between Argo CD and its Git repositories, submodules above all."""

import re
from typing import Final

from shared.failure_texts.commits import (
    lacks_parent_commit,
    lacks_submodule_commit,
    tells_of_missing_commit,
)
from shared.failure_texts.git_words import (
    HOST_UNTRUSTED,
    HUNG_UP,
    LOST_BY_GIT,
    LOST_BY_GO,
    NOT_BY_CREDENTIALS,
    NOT_FOUND,
    REFUSAL,
    REFUSED,
)
from shared.failure_texts.model import Area, FailureText, Span
from shared.failure_texts.reading import Text, Tool
from shared.failure_texts.signs import GIT, either, found_in, says, within

_CONDITION: Final = "ComparisonError of an Application, log of the repo-server"
_SUBMODULE: Final = frozenset({Tool.SUBMODULE})
_PARENT: Final = frozenset({Tool.GIT, Tool.GO_GIT})
_BY_GIT: Final = re.compile(LOST_BY_GIT)
_BY_GO: Final = re.compile(LOST_BY_GO)

_HUNG_UP: Final = re.compile(HUNG_UP)
# Whatever else the far side said is the reason why it hung up.
_SAID: Final = re.compile(
    rf"{REFUSAL.pattern}|\bremote: |\bremote error\b|\berror: |\bdenied\b|\bnot allowed\b"
)


# kustomize says so before it names the command.
_kustomize_waited: Final = says(r"\btimeout running +\S{0,80}/git +fetch\b")


def _unreachable(text: Text) -> Span | None:
    for tools, words in ((GIT | {Tool.REMOTE_BASE, Tool.OF_PLUGIN}, _BY_GIT), ({Tool.GO_GIT}, _BY_GO)):
        if lost := next(found_in(text, tools, words), None):
            return lost
    if waited := _kustomize_waited(text):
        return waited
    if tells_of_missing_commit(text):
        return None
    return next(found_in(text, GIT, _HUNG_UP, _SAID, whole=True), None)


ROWS: Final = (
    FailureText(
        code="SubmoduleCommitMissing",
        label="submodule_ref_missing",
        responder="submodule_refs",
        area=Area.GIT,
        cause="The parent repository pins a commit that the submodule's repository does not offer. Its "
        "branch was squashed or deleted, it was never pushed, or the submodule's URL is another than "
        "before. The text is no proof: a probe of the remote is.",
        remedy="Let submodule_refs probe the commit. While its repository still holds it, a branch "
        "`gitops-pin/…` keeps it; otherwise a pull request moves the pin. Push the submodule before "
        "the parent.",
        passes=False,
        where=_CONDITION,
        words=(
            "upload-pack: not our ref … after `git submodule update`",
            "Fetched in submodule path '…', but it did not contain …. Direct fetching of that commit failed.",
            "fatal: reference is not a tree: … after `git submodule update`",
        ),
        reads=lacks_submodule_commit,
    ),
    FailureText(
        code="ParentCommitMissing",
        label="parent_ref_missing",
        responder=None,
        area=Area.GIT,
        cause="The Application's own repository does not offer the commit that Argo CD fetches. It was "
        "rewritten away, or the revision comes from an older source of the Application. No submodule "
        "is at fault.",
        remedy="Hard refresh and sync, so that the revision is resolved anew. Where targetRevision is a "
        "commit, name one that a branch holds.",
        passes=False,
        where=_CONDITION,
        words=(
            "upload-pack: not our ref … after `git fetch origin …` of the same commit",
            "fatal: reference is not a tree: …",
        ),
        reads=lacks_parent_commit,
    ),
    FailureText(
        code="SubmoduleCredentialsRefused",
        label="submodule_auth",
        responder=None,
        area=Area.GIT,
        cause="The repo-server may not read a submodule's repository: it holds no credentials for that URL,"
        " or those it holds are not accepted. Credentials of the parent serve a submodule only under "
        "the same URL prefix.",
        remedy="Add a credential template (repo-creds) for the URL that .gitmodules names, and its host key "
        "for SSH. Where nothing of the submodule is rendered, set reposerver.enable.git.submodule to "
        "false.",
        passes=False,
        where=_CONDITION,
        words=(
            "fatal: could not read Username for '…': terminal prompts disabled, after `git submodule update`",
            "Permission denied (publickey), after `git submodule update`",
            "Host key verification failed, after `git submodule update`",
            "fatal: clone of '…' into submodule path '…' failed",
        ),
        reads=within(_SUBMODULE, REFUSED, HOST_UNTRUSTED, unless=NOT_BY_CREDENTIALS),
    ),
    FailureText(
        code="SubmoduleUpdateSilent",
        label="submodule_auth",
        responder=None,
        area=Area.GIT,
        cause="`git submodule update` ended with 1 and said nothing. The known case is a submodule with an "
        "SSH URL and credentials for HTTPS only; the text does not prove it.",
        remedy="Compare the URL in .gitmodules with the repository's credentials in Argo CD. Run the command"
        " in the repo-server's pod to see what git says.",
        passes=False,
        where="error of argocd-server, older versions",
        words=("`git submodule update --init --recursive` failed exit status 1:",),
        # At the text's end only: a text that was cut off anywhere else says less than git did.
        reads=says(
            r"\bsubmodule +update\b[^:;]{0,120}\bfailed exit status 1 *:[ ().]*(?:retried \d+ times[ ).]*)?\Z"
        ),
    ),
    FailureText(
        code="SubmoduleRepositoryNotFound",
        label=None,
        responder="submodule_refs",
        area=Area.GIT,
        cause="The server knows no repository at a submodule's URL, or does not show it to these "
        "credentials.",
        remedy="Correct the URL in .gitmodules, or give the repo-server credentials that may read it.",
        passes=False,
        where=_CONDITION,
        words=("remote: Repository not found, after `git submodule update`",),
        reads=within(_SUBMODULE, NOT_FOUND, unless=f"{REFUSED}|{HOST_UNTRUSTED}"),
    ),
    FailureText(
        code="SubmoduleUndeclared",
        label=None,
        responder="submodule_refs",
        area=Area.GIT,
        cause="The tree has a submodule for which .gitmodules has no entry.",
        remedy="Add the entry, or remove the gitlink.",
        passes=False,
        where=_CONDITION,
        words=(
            "fatal: No url found for submodule path '…' in .gitmodules",
            "No submodule mapping found in .gitmodules for path '…'",
        ),
        reads=says(r"\bno (?:url|submodule mapping) found (?:for submodule path|in \.gitmodules)\b"),
    ),
    FailureText(
        code="CheckoutObstructed",
        label=None,
        responder=None,
        area=Area.GIT,
        cause="Files in the repo-server's working copy were changed, so git does not check out another "
        "commit.",
        remedy="Hard refresh. If it stays, restart the repo-server: its working copies are made anew.",
        passes=False,
        where=_CONDITION,
        words=("error: Your local changes to the following files would be overwritten by checkout",),
        reads=says(
            r"\b(?:local changes|untracked working tree files)\b.{0,60}\bwould be overwritten by checkout\b"
        ),
    ),
    FailureText(
        code="RepositoryCredentialsRefused",
        label=None,
        responder=None,
        area=Area.GIT,
        cause="The repo-server's credentials for the Application's own repository are missing or not "
        "accepted.",
        remedy="Renew them in Argo CD through the pipeline that owns them. Where they come from Vault, see "
        "vault_seeding first.",
        passes=False,
        where="ComparisonError of an Application, state of a repository in Argo CD",
        words=(
            "failed to list refs: authentication required: Repository not found.",
            "Password authentication is not supported",
            "fatal: could not read Username for '…'",
            "fatal: Authentication failed for '…'",
        ),
        reads=either(
            within(_PARENT, REFUSED, unless=NOT_BY_CREDENTIALS),
            within(
                {Tool.UNNAMED},
                r"\bauthentication required: repository not found\b",
                r"\bpassword authentication is not supported(?: for git\b|\.? *\Z)",
                r"\bsupport for password authentication was removed\b",
            ),
        ),
    ),
    FailureText(
        code="RepositoryHostUntrusted",
        label=None,
        responder=None,
        area=Area.GIT,
        cause="The SSH key of the repository's host is not among those that Argo CD knows.",
        remedy="Add the host's key to argocd-ssh-known-hosts-cm, after comparing it with what the host "
        "publishes.",
        passes=False,
        where=_CONDITION,
        words=("Host key verification failed", "ssh: handshake failed: knownhosts: key is unknown"),
        reads=within(_PARENT, HOST_UNTRUSTED),
    ),
    FailureText(
        code="RepositoryNotFound",
        label=None,
        responder=None,
        area=Area.GIT,
        cause="The server knows no such repository, or does not show it to the repo-server's credentials.",
        remedy="Correct repoURL, or give Argo CD credentials that may read it.",
        passes=False,
        where=_CONDITION,
        words=("remote: Repository not found", "fatal: repository '…' not found"),
        reads=within(_PARENT, NOT_FOUND, unless=f"{REFUSED}|{HOST_UNTRUSTED}"),
    ),
    FailureText(
        code="ParentBranchMissing",
        label=None,
        responder=None,
        area=Area.GIT,
        cause="The Application's repository has no branch or tag of the name that Argo CD fetches.",
        remedy="Correct targetRevision, or push the branch.",
        passes=False,
        where=_CONDITION,
        words=("fatal: couldn't find remote ref …",),
        reads=within(_PARENT, r"\bcouldn t find remote ref +(?![0-9a-f]{7,64}\b)\S+"),
    ),
    FailureText(
        code="GitUnreachable",
        label="git_transient",
        responder=None,
        area=Area.GIT,
        cause="The Git server was not reached, or the connection was lost. What git adds about access "
        "rights and repositories that may not exist is what it says of every lost connection.",
        remedy="Nothing at first: Argo CD tries again. If it stays, see the Git server's state, its limits, "
        "the cluster's DNS and way out, and ARGOCD_EXEC_TIMEOUT for a large repository.",
        passes=True,
        where=_CONDITION,
        words=(
            "`git fetch origin --tags --force --prune` failed timeout after 1m30s",
            "kex_exchange_identification: Connection closed by remote host",
            "error: RPC failed; curl …",
            "fatal: early EOF",
            "fatal: unable to access '…': Could not resolve host: …",
            "The requested URL returned error: 503",
        ),
        reads=_unreachable,
    ),
)
