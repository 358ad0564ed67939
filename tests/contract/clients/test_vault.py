"""What is known of a real OpenBao without its values, and how a seed gets there."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from shared.clients.fingerprints import SecretText, fingerprint, placeholder_digest
from shared.clients.seeding import Destination, Seeding, Source
from shared.clients.vault import Held, LoginRefused, SealStatus, Session, Vaults
from shared.errors import Misconfigured, NotWritten, ReconvergeError, TemporaryError, WriteConflict
from shared.model import Absent, Known, Unknown
from tests.contract.clients import openbao
from tests.contract.clients.openbao import AUDIENCE, Bao
from tests.contract.clients.relay import Refusal, Relay
from tests.contract.clients.sites import Site, told

VALUE = "the value that nobody may see"


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao.running(tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture
def vaults(bao: Bao) -> Vaults:
    return Vaults(bao.credential())


@pytest.fixture
def session(bao: Bao, vaults: Vaults) -> Session:
    found = vaults.login(bao.address, "jwt", "reconverge", AUDIENCE)
    assert isinstance(found, Known)
    return found.value


@pytest.fixture
def key() -> str:
    return f"team/{uuid.uuid4().hex[:8]}"


def write(bao: Bao, key: str, data: dict[str, Any]) -> None:
    bao.operator.secrets.kv.v2.create_or_update_secret(key, data, mount_point="secret")


def value(bao: Bao, key: str) -> Any:
    found = bao.operator.secrets.kv.v2.read_secret_version(key, raise_on_deleted_version=True)
    return found["data"]["data"]["value"]


# -- state and login --------------------------------------------------------------------------------


def test_an_open_vault_is_initialised_and_not_sealed(bao: Bao, vaults: Vaults) -> None:
    assert vaults.seal_status(bao.address) == Known(SealStatus(initialised=True, sealed=False))


def test_a_sealed_vault_says_so_without_a_token(
    tmp_path_factory: pytest.TempPathFactory, vaults: Vaults
) -> None:
    with openbao.running(tmp_path_factory.mktemp("sealed")) as other:
        other.operator.sys.seal()
        assert vaults.seal_status(other.address) == Known(SealStatus(initialised=True, sealed=True))
        login = Vaults(other.credential()).login(other.address, "jwt", "reconverge", AUDIENCE)
    assert isinstance(login, Unknown)
    assert "503" in login.why


def test_a_vault_that_is_not_there_is_unknown(vaults: Vaults) -> None:
    found = vaults.seal_status("http://127.0.0.1:1")
    assert isinstance(found, Unknown)
    assert "could not be reached" in found.why


def test_a_login_s_token_is_not_shown(session: Session) -> None:
    assert session.token
    assert session.token not in repr(session)


REFUSED: dict[str, tuple[dict[str, str], str, str]] = {
    "a token of another identity": ({"object_id": "0" * 8}, "jwt", "reconverge"),
    "a token for another audience": ({"audience": "https://elsewhere"}, "jwt", "reconverge"),
    "a role that is none": ({}, "jwt", "nobody"),
    "an auth method that is none": ({}, "nothing", "reconverge"),
}


@pytest.mark.parametrize(("token", "mount", "role"), REFUSED.values(), ids=REFUSED)
def test_a_login_is_refused_to(bao: Bao, token: dict[str, str], mount: str, role: str) -> None:
    found = Vaults(bao.credential(**token)).login(bao.address, mount, role, AUDIENCE)
    assert isinstance(found, LoginRefused)


class NoToken:
    """What Entra says of our own identity is wrong."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise Misconfigured("no token: check AZURE_TENANT_ID")


def test_a_token_that_entra_does_not_issue_is_no_refusal_of_vault_s(bao: Bao) -> None:
    found = Vaults(NoToken()).login(bao.address, "jwt", "reconverge", AUDIENCE)
    assert found == Unknown("no token: check AZURE_TENANT_ID")


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("token", [None, "", 7, ["t"]])
def test_a_login_that_brings_no_token_is_no_session(bao: Bao, site: Site, token: object) -> None:
    site.on("/v1/auth/jwt/login", told({"auth": {"client_token": token}}), "POST")
    found = Vaults(bao.credential()).login(site.origin, "jwt", "reconverge", AUDIENCE)
    assert isinstance(found, Unknown)
    assert "has not the promised shape" in found.why


# What a gateway before Vault says of itself, as JSON that is no object.
GATEWAY = {"a text": (502, "Bad Gateway"), "a list": (503, []), "null": (429, None), "a refusal": (403, "No")}


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize(("status", "body"), GATEWAY.values(), ids=GATEWAY)
def test_a_login_that_a_gateway_answers_is_unknown(bao: Bao, site: Site, status: int, body: object) -> None:
    site.on("/v1/auth/jwt/login", told(body, status), "POST")
    found = Vaults(bao.credential()).login(site.origin, "jwt", "reconverge", AUDIENCE)
    assert isinstance(found, Unknown)
    assert "has not the promised shape" in found.why


@pytest.mark.parametrize("token", ["", None])
def test_no_token_of_the_surroundings_is_used(bao: Bao, monkeypatch: pytest.MonkeyPatch, token: Any) -> None:
    monkeypatch.setenv("VAULT_TOKEN", bao.root)
    found = Vaults(bao.credential()).read(Session(bao.address, token), "secret", "any", ())
    assert isinstance(found, Unknown)


# -- what it holds ----------------------------------------------------------------------------------


def test_of_a_value_only_its_fingerprint_leaves(bao: Bao, vaults: Vaults, session: Session, key: str) -> None:
    write(bao, key, {"value": VALUE})
    found = vaults.read(session, "secret", key, ())
    assert found == Known(Held(version=1, deleted=False, fingerprint=fingerprint(VALUE, ())))
    assert VALUE not in repr(found)


def test_a_placeholder_is_known_by_its_digest(bao: Bao, vaults: Vaults, session: Session, key: str) -> None:
    write(bao, key, {"value": "fixture"})
    found = vaults.read(session, "secret", key, {placeholder_digest("fixture")})
    assert isinstance(found, Known)
    assert found.value.fingerprint is not None
    assert found.value.fingerprint.placeholder


def test_a_key_that_was_never_written_is_absent(vaults: Vaults, session: Session, key: str) -> None:
    assert vaults.read(session, "secret", key, ()) == Absent()


def test_what_an_engine_holds_that_is_not_mounted_is_unknown(bao: Bao, vaults: Vaults) -> None:
    found = vaults.read(Session(bao.address, bao.root), "elsewhere", "any", ())
    assert found == Unknown("Vault answered 404: the mount is not there")


def test_a_deleted_version_is_not_called_absent(bao: Bao, vaults: Vaults, session: Session, key: str) -> None:
    write(bao, key, {"value": VALUE})
    bao.operator.secrets.kv.v2.delete_latest_version_of_secret(key)
    assert vaults.read(session, "secret", key, ()) == Known(Held(1, deleted=True, fingerprint=None))


@pytest.mark.parametrize("data", [{"password": VALUE}, {"value": 7}, {"value": None}])
def test_a_key_without_the_field_has_no_fingerprint(
    bao: Bao, vaults: Vaults, session: Session, key: str, data: dict[str, Any]
) -> None:
    write(bao, key, data)
    assert vaults.read(session, "secret", key, ()) == Known(Held(1, deleted=False, fingerprint=None))


def test_a_policy_that_denies_is_unknown_and_says_where_to_look(vaults: Vaults, session: Session) -> None:
    found = vaults.read(session, "elsewhere", "any", ())
    assert isinstance(found, Unknown)
    assert "403: see the policy" in found.why


# -- writing ----------------------------------------------------------------------------------------


class OneSecret:
    """A Key Vault with one secret."""

    def value(self, uri: str, name: str, version: str) -> SecretText:
        assert (uri, name, version) == ("https://kv", "ghcr-token", "v7")
        return SecretText(VALUE)


class NoSecret:
    """A Key Vault with a bad minute."""

    def value(self, *_: str) -> SecretText:
        raise TemporaryError("Key Vault: the answer was lost", delay=timedelta(minutes=2), asked=True)


def copy(
    bao: Bao,
    vaults: Vaults,
    key: str,
    cas: int,
    key_vault: OneSecret | NoSecret | None = None,
    **changes: Any,
) -> None:
    base = {
        "address": bao.address,
        "login_mount": "jwt",
        "login_role": "reconverge",
        "login_audience": AUDIENCE,
        "mount": "secret",
        "key": key,
        "cas": cas,
    }
    from_there: Any = key_vault or OneSecret()
    Seeding(from_there, vaults).copy(
        Source(uri="https://kv", secret="ghcr-token", version="v7"), Destination(**{**base, **changes})
    )


def test_a_missing_seed_is_written_and_equals_its_source(
    bao: Bao, vaults: Vaults, session: Session, key: str
) -> None:
    copy(bao, vaults, key, 0)
    assert vaults.read(session, "secret", key, ()) == Known(Held(1, False, fingerprint(VALUE, ())))


def test_a_placeholder_is_replaced_in_its_version(bao: Bao, vaults: Vaults, key: str) -> None:
    write(bao, key, {"value": "fixture"})
    copy(bao, vaults, key, 1)
    assert value(bao, key) == VALUE


@pytest.mark.parametrize("cas", [0, 2])
def test_what_its_owner_wrote_is_never_overwritten(bao: Bao, vaults: Vaults, key: str, cas: int) -> None:
    write(bao, key, {"value": "the owner's"})
    with pytest.raises(WriteConflict) as refused:
        copy(bao, vaults, key, cas)
    assert value(bao, key) == "the owner's"
    assert VALUE not in str(refused.value)


def test_without_a_login_nothing_is_written(bao: Bao, vaults: Vaults, session: Session, key: str) -> None:
    with pytest.raises(NotWritten, match="nothing was written"):
        copy(bao, vaults, key, 0, login_role="nobody")
    assert vaults.read(session, "secret", key, ()) == Absent()


def test_a_login_that_could_not_be_tried_says_why_nothing_was_written(bao: Bao, key: str) -> None:
    with pytest.raises(NotWritten, match="nothing was written: no token: check AZURE_TENANT_ID"):
        copy(bao, Vaults(NoToken()), key, 0)


def test_without_a_value_nothing_is_written(bao: Bao, vaults: Vaults, session: Session, key: str) -> None:
    with pytest.raises(NotWritten, match="the answer was lost") as unread:
        copy(bao, vaults, key, 0, NoSecret())
    assert (unread.value.delay, unread.value.asked) == (timedelta(minutes=2), True)
    assert vaults.read(session, "secret", key, ()) == Absent()


@pytest.mark.parametrize(("root", "says"), [(False, "403"), (True, "404: the mount is not there")])
def test_a_write_that_vault_refuses_was_certainly_not_done(
    bao: Bao, vaults: Vaults, session: Session, root: bool, says: str
) -> None:
    whose = Session(bao.address, bao.root) if root else session
    with pytest.raises(NotWritten, match=says):
        vaults.write(whose, "elsewhere", "any", SecretText(VALUE), cas=0)


def test_a_refused_write_tells_no_value(bao: Bao, vaults: Vaults, key: str) -> None:
    with pytest.raises(ReconvergeError) as refused:
        copy(bao, vaults, key, 0, mount="elsewhere")
    assert VALUE not in f"{refused.value!r} {refused.value.__cause__}"


@pytest.mark.parametrize("status", [200, 204, 307])
def test_an_answer_that_names_no_version_is_no_write(
    bao: Bao, vaults: Vaults, session: Session, key: str, status: int
) -> None:
    relay = Relay(int(bao.address.rpartition(":")[2]))
    relay.script.extend(["pass", Refusal(status, {"Location": f"{bao.address}/v1/secret/data/{key}"})])
    with relay.running(), pytest.raises(TemporaryError, match="may have been done"):
        copy(bao, vaults, key, 0, address=f"http://127.0.0.1:{relay.server_port}")
    assert vaults.read(session, "secret", key, ()) == Absent()


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize(("status", "body"), GATEWAY.values(), ids=GATEWAY)
def test_a_write_that_a_gateway_answers_may_have_been_done_and_keeps_no_body(
    vaults: Vaults, site: Site, status: int, body: object
) -> None:
    site.on("/v1/secret/data/any", told(body, status), "POST")
    with pytest.raises(TemporaryError, match="has not the promised shape") as lost:
        vaults.write(Session(site.origin, "t"), "secret", "any", SecretText(VALUE), cas=0)
    assert not isinstance(lost.value, NotWritten)
    assert lost.value.__cause__ is None


# -- what the token may do --------------------------------------------------------------------------


def test_the_tokens_capabilities_are_told_path_by_path(vaults: Vaults, session: Session) -> None:
    assert vaults.capabilities(session, ("secret/data/ghcr-token", "sys/policies/acl/reconverge")) == Known(
        {
            "secret/data/ghcr-token": frozenset({"create", "read", "update"}),
            "sys/policies/acl/reconverge": frozenset({"deny"}),
        }
    )


def test_a_root_token_is_told_as_such(bao: Bao, vaults: Vaults) -> None:
    root = Session(bao.address, bao.root)
    assert vaults.capabilities(root, ("secret/data/one",)) == Known({"secret/data/one": frozenset({"root"})})


def test_capabilities_of_a_token_that_ended_are_unknown(bao: Bao, vaults: Vaults) -> None:
    assert isinstance(vaults.capabilities(Session(bao.address, "ended"), ("secret/data/one",)), Unknown)
