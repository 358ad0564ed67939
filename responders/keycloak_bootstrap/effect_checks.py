"""Faults of what the Jobs bring about: clients, their secrets in Vault, the Secrets made of them. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from responders.keycloak_bootstrap.facts import Facts
from responders.keycloak_bootstrap.reasons import Reason, finding
from responders.keycloak_bootstrap.redirects import accepts
from shared.clients.keycloak import Client
from shared.clients.vault import Held, LoginRefused
from shared.clients.workloads import Materialised
from shared.landscape import DeclaredClient
from shared.model import Absent, Finding, Known, Unknown

REFRESHED_WITHIN: Final = timedelta(minutes=10)
"""What the External Secrets Operator may take to bring what the patcher wrote, where it found nothing before:
it tries again soon."""
READ_AGAIN_WITHIN: Final = timedelta(minutes=65)
"""The same where a Secret has an older value: that is read again once an hour, unless told otherwise.

https://external-secrets.io/latest/api/externalsecret/
"""
MOST_ADDITIONS: Final = 2
"""Of one redirect URI within a day: who takes it away that often means it."""


def effect_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    yield from _client_faults(facts)
    yield from _key_faults(facts)
    yield from _secret_faults(facts, now)


# -- clients --------------------------------------------------------------------------------


def _client_faults(facts: Facts) -> Iterator[Finding]:
    """Of each declared client; nothing where they could not be listed."""
    if not isinstance(facts.clients, Known):
        return
    by_id = {one.client_id: one for one in facts.clients.value}
    for name, declared in facts.declared.clients.items():
        client, subject = by_id.get(name), facts.client_id(name)
        if client is None:
            says = f"realm {facts.declared.realm} has no client {name}"
            yield finding(Reason.CLIENT_MISSING, subject, says)
            continue
        if not client.enabled:
            yield finding(Reason.CLIENT_DISABLED, subject, f"client {name} is disabled")
            continue
        yield from _redirect_faults(facts, client, declared)


def _redirect_faults(facts: Facts, client: Client, declared: DeclaredClient) -> Iterator[Finding]:
    held, name = client.redirect_uris, client.client_id
    missing = [uri for uri in declared.redirect_uris if not accepts(held, uri)]
    none_fits = bool(held) and len(missing) == len(declared.redirect_uris)
    for uri in missing:
        subject = facts.redirect_id(name, uri)
        if none_fits:
            says = f"client {name} accepts {_counted(len(held))}, and not {uri}"
        else:
            says = f"client {name} does not accept the redirect URI {uri}"
        if _additions(facts, subject) >= MOST_ADDITIONS:
            reason = Reason.REDIRECT_URI_TAKEN_AWAY
            says = f"{says}, though it was added, or may have been, {MOST_ADDITIONS} times within a day"
        else:
            reason = Reason.REDIRECT_URI_DIFFERS if none_fits else Reason.REDIRECT_URI_MISSING
        yield finding(reason, subject, says, client=name, uri=uri)


def _counted(number: int) -> str:
    return "1 other redirect URI" if number == 1 else f"{number} other redirect URIs"


def _additions(facts: Facts, subject: str) -> int:
    """Those of which no answer came count too: Keycloak may have taken each of them."""
    return len(facts.tries.get(subject.lower(), ()))


# -- Vault ----------------------------------------------------------------------------------


def _key_faults(facts: Facts) -> Iterator[Finding]:
    """Nothing where Vault was not asked: the patcher has to complete before anything can be there."""
    match facts.login:
        case None:
            return
        case LoginRefused(why) | Unknown(why):
            yield finding(Reason.CLIENT_KEYS_UNREAD, facts.vault, f"Vault's login: {why}")
            return
    for name, declared in facts.declared.clients.items():
        if declared.vault_key is not None and (fault := _key_fault(facts, name, declared.vault_key)):
            yield fault


def _key_fault(facts: Facts, client: str, key: str) -> Finding | None:
    subject = facts.key_id(key)
    match facts.keys.get(key):
        case Unknown(why):
            return finding(Reason.CLIENT_KEYS_UNREAD, subject, f"{key} could not be read: {why}")
        case Absent():
            done = "the client patcher is done, and " if facts.patched_at else ""
            says = f"{done}Vault has no {key} of client {client}"
            return finding(Reason.CLIENT_KEY_MISSING, subject, says)
        case Known(held) if held.deleted or held.fingerprint is None:
            state = "was deleted" if held.deleted else "has no field `value`"
            says = f"version {held.version} of {key}, of client {client}, {state}"
            return finding(Reason.CLIENT_KEY_MISSING, subject, says)
        case Known(held) if _is_placeholder(held):
            says = f"version {held.version} of {key}, of client {client}, is a placeholder"
            return finding(Reason.OIDC_SECRET_IS_PLACEHOLDER, subject, says)
    return None


def _is_placeholder(held: Held) -> bool:
    return held.fingerprint is not None and held.fingerprint.placeholder


# -- Secrets --------------------------------------------------------------------------------


def _secret_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    if isinstance(facts.digests, Unknown):
        says = f"the digests could not be read: {facts.digests.why}"
        yield finding(Reason.KEYCLOAK_UNREAD, facts.digests_id, says)
    for name, keys in facts.declared.secrets.items():
        found = list(_faults_of(facts, name, keys))
        late = [one for one in found if not _awaited(facts, one, now)]
        yield from (_unsynced(facts, one) for one in late)
        if late == found:
            yield from _unpublished(facts, name, keys)
        else:
            says = f"Secret {name} does not have what the client patcher wrote lately"
            yield finding(Reason.OIDC_SECRET_REFRESHING, facts.secret_id(name), says)


def _faults_of(facts: Facts, name: str, keys: Mapping[str, str]) -> Iterator[Finding]:
    subject = facts.secret_id(name)
    match facts.secrets.get(name):
        case Unknown(why):
            yield finding(Reason.KEYCLOAK_UNREAD, subject, f"Secret {name} could not be read: {why}")
        case Absent():
            says = f"namespace {facts.declared.namespace} has no Secret {name}"
            yield finding(Reason.OIDC_SECRET_MISSING, subject, says)
        case Known(held):
            wanted = tuple(keys) or tuple(held.entries)
            if not wanted:
                yield finding(Reason.OIDC_SECRET_EMPTY, subject, f"Secret {name} has no key")
            for key in wanted:
                if fault := _entry_fault(facts, name, key, held):
                    yield fault


def _entry_fault(facts: Facts, name: str, key: str, held: Materialised) -> Finding | None:
    subject, entry = facts.secret_id(name), held.entries.get(key)
    if entry is None or entry.empty:
        says = f"Secret {name} has {'an empty' if entry else 'no'} key {key}"
        return finding(Reason.OIDC_SECRET_EMPTY, subject, says, key=key)
    if entry.placeholder:
        says = f"key {key} of Secret {name} is a placeholder"
        return finding(Reason.OIDC_SECRET_IS_PLACEHOLDER, subject, says, key=key)
    # What an earlier run published says nothing while the patcher has still to run.
    if entry.published is False and facts.at_rest:
        says = f"key {key} of Secret {name} has another digest than the client patcher published"
        return finding(Reason.OIDC_SECRET_DIFFERS, subject, says, key=key)
    return None


def _awaited(facts: Facts, fault: Finding, now: datetime) -> bool:
    """The patcher wrote to Vault so lately that the operator need not have been there since."""
    written = facts.patched_at
    # Only a digest tells that the patcher wrote: all else is as wrong without it.
    if written is None and fault.reason == Reason.OIDC_SECRET_DIFFERS:
        written = facts.written_until
    if written is None or fault.reason == Reason.KEYCLOAK_UNREAD:
        return False
    # What Vault itself holds comes again with each refresh.
    if fault.reason == Reason.OIDC_SECRET_IS_PLACEHOLDER and _vault_has_a_placeholder(facts):
        return False
    older = fault.reason in (Reason.OIDC_SECRET_IS_PLACEHOLDER, Reason.OIDC_SECRET_DIFFERS)
    return now - written < (READ_AGAIN_WITHIN if older else REFRESHED_WITHIN)


def _unsynced(facts: Facts, fault: Finding) -> Finding:
    """Where Vault holds all that the patcher writes, another run of it brings nothing."""
    if fault.reason not in (Reason.OIDC_SECRET_MISSING, Reason.OIDC_SECRET_EMPTY) or not _vault_holds(facts):
        return fault
    says = f"{fault.message}, though Vault holds what the client patcher wrote"
    return finding(Reason.OIDC_SECRET_NOT_SYNCED, fault.subject, says, **fault.evidence)


def _vault_holds(facts: Facts) -> bool:
    read = facts.patched_at is not None and isinstance(facts.login, Known) and bool(facts.keys)
    return read and not list(_key_faults(facts))


def _vault_has_a_placeholder(facts: Facts) -> bool:
    return any(isinstance(read, Known) and _is_placeholder(read.value) for read in facts.keys.values())


def _unpublished(facts: Facts, name: str, keys: Mapping[str, str]) -> Iterator[Finding]:
    """Without a digest nothing tells whether a Secret is up to date."""
    if facts.digests is None or not facts.at_rest:
        return
    match facts.digests:
        case Absent():
            says = f"there is no ConfigMap {facts.declared.digests}"
            yield finding(Reason.DIGEST_UNPUBLISHED, facts.secret_id(name), says)
        case Known(config):
            lacking = [key for key, published in keys.items() if published not in config.data]
            if lacking:
                says = f"no digest of {', '.join(lacking)} is published"
                yield finding(Reason.DIGEST_UNPUBLISHED, facts.secret_id(name), says)
