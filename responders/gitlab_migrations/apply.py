"""Carries out one step. Safe to repeat, and safe to die at any line: a pull request is found again by its
change's id, and nothing is asked of Argo CD while an operation is running."""

from responders.gitlab_migrations.leftovers import prefix_of
from responders.gitlab_migrations.mapping import PLACE, may_be_copied
from responders.gitlab_migrations.plan import ACTIONS, SYNC
from responders.gitlab_migrations.repairs import MAP, is_suffix
from responders.gitlab_migrations.writing import body, closing, message, title
from shared.cluster_writes import sync
from shared.contract import refusal
from shared.errors import PermanentError
from shared.landscape import DeclaredGitLab, DeclaredMigrations, repository_page
from shared.model import Channel, Step
from shared.proposals import NUMBER, propose, withdraw
from shared.world import Scope


def apply(scope: Scope, step: Step) -> None:
    """The caller holds the lease of the repository or of the Application.

    Raises what the clients raise, and PermanentError for a step that no plan of this responder may hold: the
    last guard before a write, whatever went wrong above.
    """
    declared = scope.environment.gitlab
    if declared is None:
        raise PermanentError(f"{scope.environment.name} declares no GitLab")
    if step.action not in ACTIONS:
        raise PermanentError(f"{step.action} is not an action of gitlab_migrations")
    if why := refusal(step, scope.environment.contract):
        raise PermanentError(f"{step.owner} may not be written: {why}")
    if step.action == SYNC:
        why = f"Git has what mends {step.after.get('fault', 'the migrations')}"
        sync(scope, step, declared.application, of=declared.release, why=why)
    else:
        _change(scope, declared, step)


def _change(scope: Scope, declared: DeclaredGitLab, step: Step) -> None:
    migrations = declared.migrations
    if migrations is None or step.owner != repository_page(migrations.values.repository):
        raise PermanentError(f"{step.owner} is not where the values of {declared.release} are written")
    if step.channel is not Channel.PULL_REQUEST:
        raise PermanentError(f"{step.action} goes by pull request alone")
    if NUMBER in step.after:
        if not step.object.startswith(f"{step.owner}/"):
            raise PermanentError(f"{step.object} is no pull request of {step.owner}")
        heading, comment = closing(scope.environment.name)
        withdraw(scope, step, title=heading, comment=comment)
        return
    if step.object != migrations.values.reference or not _may_say(migrations, step):
        raise PermanentError(f"{step.object} is not declared with {', '.join(step.after)} of that form")
    propose(
        scope,
        step,
        migrations.values,
        prefix_of(scope.environment.name, step.action),
        title=title(scope, step),
        body=body(scope, step),
        message=message(scope, step),
    )


def _may_say(migrations: DeclaredMigrations, step: Step) -> bool:
    """The keys are the declared ones, and the texts have the only form that such a change has."""
    if step.action != MAP:
        key = migrations.suffix
        return key is not None and list(step.after) == [key] and is_suffix(step.after[key])
    fields = {f"{migrations.ci}.{field}": field for field in PLACE} if migrations.ci else {}
    return bool(step.after) and all(
        key in fields and may_be_copied(fields[key], text) for key, text in step.after.items()
    )
