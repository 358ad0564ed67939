"""What relates the published facts of a landscape to each other, and to the contract."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.landscape.facts import Truth, repository_page
from shared.landscape.forms import IDENTITY_ID, PUBLIC_IP_ID, REPOSITORY, VAULT_ID, Form
from shared.landscape.places import EVERY, Found, LineOf, Rule, places, repeated, text_at, texts
from shared.landscape.source import Data, Path
from shared.model import Channel

_ENVIRONMENT: Final = ("environments", EVERY)
_FILE: Final = (*_ENVIRONMENT, "facts", EVERY)
_FIELD: Final = (*_FILE, "fields", EVERY)
_CHANNEL: Final = (*_ENVIRONMENT, "contract", "channels")
_WRITABLE: Final = (*_ENVIRONMENT, "contract", "repositories", EVERY)

_READ_FROM: Final[Mapping[str, tuple[Form, str]]] = {
    Truth.KEY_VAULT_URI: (VAULT_ID, "Key Vault"),
    Truth.IDENTITY_CLIENT_ID: (IDENTITY_ID, "user-assigned identity"),
    Truth.IDENTITY_PRINCIPAL_ID: (IDENTITY_ID, "user-assigned identity"),
    Truth.PUBLIC_IP_ADDRESS: (PUBLIC_IP_ID, "public IP address"),
}
_GOVERNED: Final = "facts.update"

_NO_ID: Final = "`{source}` is a part of a resource or its id; add `id`"
_NEEDLESS_ID: Final = "`tenantId` is the landscape's `tenant`; remove `id`"
_OTHER_TYPE: Final = "`{source}` is that of a {kind}; {otherwise}"
_FIELD_WITHIN: Final = (
    "the field in line {line} lies on the way to this one, and a field is one value; keep one of the two"
)
_FILE_REPEATED: Final = (
    "the file stands in line {line} already; whoever changes it must know all its fields: put them there"
)
_NO_CHANNEL: Final = "only facts.update has a choice of channels; remove this one"
_NO_WORKFLOW: Final = (
    "the contract's channel is `workflow`, and this file declares none; add `workflow`, or choose "
    "pull-request or direct"
)
_REPOSITORIES: Final = (
    (*_FILE, "repository"),
    (*_FILE, "workflow", "repository"),
    (*_ENVIRONMENT, "keycloak", "hooks", "values", "repository"),
    (*_ENVIRONMENT, "gitlab", "migrations", "values", "repository"),
)
"""Where those stand that are written."""
_UNDECLARED: Final = (
    "no environment declares facts, a workflow or a file of values in this repository, and this one no "
    "submodules; declare them, or remove it here"
)


def _id_of_its_source(data: Data, _: LineOf) -> Iterator[Found]:
    for path, fact in places(data, _FIELD):
        if not isinstance(fact, dict):
            continue
        source, id_ = fact.get("from"), fact.get("id")
        if source == Truth.TENANT_ID and id_ is not None:
            yield (*path, "id"), _NEEDLESS_ID
        elif source != Truth.TENANT_ID and source in list(Truth) and id_ is None:
            yield path, _NO_ID.format(source=source)
        elif isinstance(source, str) and source in _READ_FROM and isinstance(id_, str):
            form, kind = _READ_FROM[source]
            if not form.fits(id_):
                yield (*path, "id"), _OTHER_TYPE.format(source=source, kind=kind, otherwise=form.otherwise)


def _field_within_another(data: Data, line: LineOf) -> Iterator[Found]:
    for path, fields in places(data, (*_FILE, "fields")):
        if not isinstance(fields, dict):
            continue
        for field in fields:
            parts = field.split(".")
            for length in range(1, len(parts)):
                if (outer := ".".join(parts[:length])) in fields:
                    yield (*path, field), _FIELD_WITHIN.format(line=line((*path, outer)))


def _file_repeated(data: Data, line: LineOf) -> Iterator[Found]:
    keys = (
        (path, (repository_page(repository.lower()), _or_main(data, path), text_at(data, (*path, "path"))))
        for path, _file in places(data, _FILE)
        if (repository := text_at(data, (*path, "repository")))
    )
    for path, earlier in repeated(keys):
        yield path, _FILE_REPEATED.format(line=line(earlier))


def _or_main(data: Data, path: Path) -> str:
    return text_at(data, (*path, "ref")) or "main"


def _channel_without_choice(data: Data, _: LineOf) -> Iterator[Found]:
    for path, _channel in places(data, (*_CHANNEL, EVERY)):
        if path[-1] != _GOVERNED:
            yield path, _NO_CHANNEL


def _workflow_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    for path, channel in texts(data, (*_CHANNEL, _GOVERNED)):
        if channel != Channel.WORKFLOW:
            continue
        for file, declared in places(data, (*path[:2], "facts", EVERY)):
            if isinstance(declared, dict) and declared.get("workflow") is None:
                yield file, _NO_WORKFLOW


def _writable_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    declared = [repository for pattern in _REPOSITORIES for _, repository in places(data, pattern)]
    if not all(isinstance(one, str) and REPOSITORY.fits(one) for one in declared):
        return  # what is meant there is not known yet
    known = {repository_page(str(one).lower()) for one in declared}
    for path, repository in texts(data, _WRITABLE):
        # Which repositories submodules have stands in .gitmodules alone.
        if repository_page(repository.lower()) not in known and not _has_submodules(data, path[:2]):
            yield path, _UNDECLARED


def _has_submodules(data: Data, environment: Path) -> bool:
    return any(places(data, (*environment, "submodules", EVERY)))


RULES: Final[tuple[Rule, ...]] = (
    _id_of_its_source,  # what a field tells is told by a resource of that kind
    _field_within_another,  # a value has no fields
    _file_repeated,  # one place tells what a file must say
    _channel_without_choice,  # a credential has only one way
    _workflow_undeclared,  # what is to be started is named
    _writable_undeclared,  # a permission for nothing is a slip of the pen
)
