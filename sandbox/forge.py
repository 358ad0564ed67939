"""The forge: repositories on disk, and the tokens, pull requests and workflows that belong to them.

Knows no HTTP. The rest of the sandbox reads and commits through it, and hears of every branch that moves.
"""

import asyncio
import itertools
import logging
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox.dials import Dials
from sandbox.forge_records import Account, Dispatch, Grants, Hosted, Job, PullRequest, Pushed, Run, Workflow
from sandbox.git_records import Author
from sandbox.git_repository import Repository
from sandbox.timeline import Clock

type Listener = Callable[[Pushed], None]

LOG = logging.getLogger(__name__)
ROBOT: Final = Author("ameide-ci", "ci@ameide.example")
_TOKEN_BYTES: Final = 32


class NoRepositoryError(LookupError):
    """The forge has no repository of that name."""


class Forge:
    def __init__(self, directory: Path, dials: Dials, clock: Clock) -> None:
        self._directory = directory
        self._dials = dials
        self.clock = clock
        self._hosted: dict[str, Hosted] = {}
        self._accounts: dict[str, Account] = {}
        self._listeners: list[Listener] = []
        self._running: set[asyncio.Task[None]] = set()
        self.ids = itertools.count(1001)
        """Of everything that has an id: GitHub's are unique among things of a kind."""

    def start_empty(self) -> None:
        """One that was killed has left its repositories behind."""
        shutil.rmtree(self._directory, ignore_errors=True)

    async def stop(self) -> None:
        """End the runs that are under way."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # -- repositories -------------------------------------------------------------------

    async def create(
        self,
        name: str,
        files: Mapping[str, str],
        *,
        private: bool = True,
        protected: Sequence[str] = (),
        default_branch: str = "main",
    ) -> Hosted:
        """A repository `<owner>/<name>` whose default branch has the files.

        protected: branches that change through pull requests only, and by `commit`
        """
        owner, _, short = name.partition("/")
        git = Repository(self._directory / owner / f"{short}.git", self.clock)
        await git.create(default_branch, protected)
        hosted = Hosted(
            id=next(self.ids),
            owner=owner,
            name=short,
            private=private,
            default_branch=default_branch,
            protected=frozenset(protected),
            git=git,
            created_at=self.clock(),
        )
        self._hosted[name.lower()] = hosted
        await self.commit(name, default_branch, files, "Initial commit")
        return hosted

    def find(self, name: str) -> Hosted:
        """Raises NoRepositoryError. Letter case does not count."""
        try:
            return self._hosted[name.lower()]
        except KeyError:
            raise NoRepositoryError(name) from None

    async def head(self, name: str, branch: str) -> str | None:
        """The branch's commit; None where there is no such branch. Raises NoRepositoryError."""
        return (await self.find(name).git.heads()).get(branch)

    async def read(self, name: str, branch: str, path: str) -> str | None:
        """A file's text; None where branch or file are missing. Raises NoRepositoryError."""
        head = await self.head(name, branch)
        git = self.find(name).git
        entry = await git.entry(head, path) if head else None
        return (await git.blob(entry.sha)).decode() if entry and entry.type == "blob" else None

    async def commit(
        self, name: str, branch: str, files: Mapping[str, str], message: str, author: Author = ROBOT
    ) -> str:
        """Put the files on the branch, protected or not, making it if need be. Answers the branch's commit,
        which is no new one if all files read so already. Raises NoRepositoryError, and GitError where a push
        came in between.
        """
        hosted = self.find(name)
        async with hosted.writing:
            head = await self.head(name, branch)
            if head and all([await self.read(name, branch, path) == text for path, text in files.items()]):
                return head
            contents = {path: text.encode() for path, text in files.items()}
            written = await hosted.git.write(branch, contents, message, author, head)
        await self.settle(hosted)
        return written

    async def pin(self, name: str, branch: str, path: str, commit: str, message: str) -> str:
        """Let the branch's submodule at the path stand at a commit, be it in that repository or not: git
        does not look. Answers the branch's commit. Raises NoRepositoryError, and GitError as `commit`.
        """
        hosted = self.find(name)
        async with hosted.writing:
            head = await self.head(name, branch)
            written = await hosted.git.write(branch, {}, message, ROBOT, head, pins={path: commit})
        await self.settle(hosted)
        return written

    # -- what moves ---------------------------------------------------------------------

    def on_push(self, listener: Listener) -> Callable[[], None]:
        """Call the listener after every change of any branch. Answers how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def settle(self, hosted: Hosted) -> None:
        """To be called after anything that may have moved branches: pull requests follow, listeners hear."""
        async with hosted.writing:
            before, after = hosted.heads, await hosted.git.heads()
            hosted.heads = after
            moved = [
                Pushed(hosted.full_name, branch, before.get(branch), after.get(branch))
                for branch in sorted(before.keys() | after.keys())
                if before.get(branch) != after.get(branch)
            ]
            if moved:
                for pull in hosted.pulls:
                    await self._follow(hosted, pull)
        for pushed in moved:
            for listener in tuple(self._listeners):
                listener(pushed)

    async def _follow(self, hosted: Hosted, pull: PullRequest) -> None:
        """An open pull request goes with its branch, and ends when nothing is left to merge: as merged if the
        base got it all, else as closed.

        https://docs.github.com/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges#indirect-merges
        """
        if not pull.open:
            return
        now = self.clock()
        head, base = hosted.heads.get(pull.head), hosted.heads.get(pull.base)
        if head is None or base is None:
            pull.closed_at = pull.updated_at = now
            return
        if (head, base) == (pull.head_sha, pull.base_sha):
            return
        if await hosted.git.contains(base, head):
            pull.closed_at = now
            if head == pull.head_sha:
                pull.merged_at, pull.merge_sha = now, base
        pull.head_sha, pull.base_sha, pull.updated_at = head, base, now

    # -- who may ------------------------------------------------------------------------

    def issue(self, login: str, grants: Grants) -> str:
        """A new fine-grained token."""
        value = f"github_pat_{secrets.token_hex(_TOKEN_BYTES)}"
        self._accounts[value] = Account(login, {name.lower(): held for name, held in grants.items()})
        return value

    def account(self, token: str) -> Account | None:
        """Whom a token stands for; None for one that was never issued."""
        return self._accounts.get(token)

    # -- workflows ----------------------------------------------------------------------

    def add_workflow(self, name: str, file: str, job: Job) -> None:
        """Let the job be what `.github/workflows/<file>` of the repository does. Raises NoRepositoryError."""
        now = self.clock()
        self.find(name).workflows[file] = Workflow(
            id=next(self.ids), file=file, job=job, created_at=now, updated_at=now
        )

    def start(self, hosted: Hosted, workflow: Workflow, dispatch: Dispatch, sha: str, actor: str) -> Run:
        """Queue a run; it ends by itself."""
        now = self.clock()
        run = Run(
            id=next(self.ids),
            number=1 + sum(one.workflow is workflow for one in hosted.runs),
            workflow=workflow,
            branch=dispatch.ref,
            head_sha=sha,
            actor=actor,
            created_at=now,
            updated_at=now,
        )
        hosted.runs.append(run)
        task = asyncio.create_task(self._run(run, dispatch))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return run

    async def _run(self, run: Run, dispatch: Dispatch) -> None:
        """Half of the dial's time in the queue, half at work."""
        await asyncio.sleep(self._dials.workflow_seconds / 2)
        run.status, run.updated_at = "in_progress", self.clock()
        await asyncio.sleep(self._dials.workflow_seconds / 2)
        try:
            succeeded = await run.workflow.job(dispatch)
        except Exception:
            LOG.exception("workflow %s failed", run.workflow.file)
            succeeded = False
        run.conclusion = "success" if succeeded else "failure"
        run.status, run.updated_at = "completed", self.clock()
