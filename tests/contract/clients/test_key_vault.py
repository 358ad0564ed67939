"""What leaves a Key Vault, asked through the loopback cloud with its challenge over TLS."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from shared.clients.credentials import AppCredential
from shared.clients.fingerprints import fingerprint, placeholder_digest
from shared.clients.key_vault import KeyVaults
from shared.errors import ReconvergeError, TemporaryError
from shared.model import Absent, Known, Unknown
from tests.contract.clients.loopback import Cloud

VALUE = "the value that nobody may see"


@pytest.fixture
def uri(cloud: Cloud) -> str:
    return str(cloud.description["vaults"]["ameidekv"])


@pytest.fixture
def vaults(credential: AppCredential) -> KeyVaults:
    return KeyVaults(credential)


@pytest.fixture
def put(cloud: Cloud, uri: str) -> Callable[..., str]:
    """Sets a secret of a new name, as a person would."""
    operator = ClientSecretCredential(
        cloud.description["tenant"],
        cloud.description["operator"]["client_id"],
        cloud.description["operator"]["secret"],
        authority=cloud.description["cloud"],
        disable_instance_discovery=True,
    )
    client = SecretClient(
        uri, operator, verify_challenge_resource=False, connection_verify=cloud.description["ca"]
    )

    def put(value: str = VALUE, **attributes: Any) -> str:
        name = f"test-{uuid.uuid4().hex[:8]}"
        client.set_secret(name, value, **attributes)
        return name

    return put


def test_a_list_tells_what_may_be_read_now_and_no_value(
    vaults: KeyVaults, uri: str, put: Callable[..., str]
) -> None:
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    kept, disabled = put(expires_on=expires), put(enabled=False)
    found = vaults.secrets(uri)
    assert isinstance(found, Known)
    listed = {one.name: one for one in found.value}
    assert (listed[kept].enabled, listed[kept].expires) == (True, expires)
    assert listed[kept].updated is not None
    assert not listed[disabled].enabled
    assert VALUE not in repr(found)


def test_of_a_value_only_its_fingerprint_leaves(vaults: KeyVaults, uri: str, put: Callable[..., str]) -> None:
    found = vaults.source(uri, put(), ())
    assert isinstance(found, Known)
    assert found.value.fingerprint == fingerprint(VALUE, ())
    assert len(found.value.version) == 32
    assert VALUE not in repr(found)


def test_a_placeholder_is_known_by_its_digest(vaults: KeyVaults, uri: str, put: Callable[..., str]) -> None:
    found = vaults.source(uri, put("fixture"), {placeholder_digest("fixture")})
    assert isinstance(found, Known)
    assert found.value.fingerprint.placeholder


def test_the_address_may_have_its_last_slash(vaults: KeyVaults, uri: str) -> None:
    assert isinstance(vaults.secrets(uri.rstrip("/") + "/"), Known)


def test_a_secret_that_is_not_there_is_absent(vaults: KeyVaults, uri: str) -> None:
    assert vaults.source(uri, "nothing", ()) == Absent()


def test_a_disabled_secret_is_not_called_absent(vaults: KeyVaults, uri: str, put: Callable[..., str]) -> None:
    found = vaults.source(uri, put(enabled=False), ())
    assert isinstance(found, Unknown)
    assert "SecretDisabled" in found.why


def test_a_missing_role_is_unknown_and_says_which_to_give(cloud: Cloud, vaults: KeyVaults, uri: str) -> None:
    cloud.inject(
        "/secrets",
        status=403,
        body={"error": {"code": "Forbidden", "message": VALUE, "innererror": {"code": "ForbiddenByRbac"}}},
    )
    found = vaults.secrets(uri)
    assert isinstance(found, Unknown)
    assert "403 ForbiddenByRbac: give the app's identity Key Vault Secrets User" in found.why
    assert VALUE not in found.why


def test_a_vault_that_is_not_there_is_unknown(vaults: KeyVaults) -> None:
    found = vaults.secrets("https://127.0.0.1:1")
    assert isinstance(found, Unknown)
    assert "could not be reached" in found.why


def test_a_value_is_fetched_in_exactly_the_version_that_was_judged(
    vaults: KeyVaults, uri: str, put: Callable[..., str]
) -> None:
    name = put()
    found = vaults.source(uri, name, ())
    assert isinstance(found, Known)
    value = vaults.value(uri, name, found.value.version)
    assert value.text == VALUE
    assert VALUE not in repr(value)
    with pytest.raises(ReconvergeError):
        vaults.value(uri, name, "0" * 32)


def test_an_answer_without_a_value_is_no_empty_secret(
    cloud: Cloud, vaults: KeyVaults, uri: str, put: Callable[..., str]
) -> None:
    name = put()
    half = {"id": f"{uri}secrets/{name}/{'0' * 32}", "attributes": {"enabled": True}}
    cloud.inject(f"secrets/{name}", status=200, body=half)
    assert vaults.source(uri, name, ()) == Unknown("Key Vault answered without a value")
    cloud.inject(f"secrets/{name}", status=200, body=half)
    with pytest.raises(TemporaryError, match="without a value"):
        vaults.value(uri, name, "0" * 32)


ODD_BODIES: dict[str, Any] = {
    "a list": [],
    "a text": "not a secret",
    "an id that is none": {"value": VALUE, "id": 7},
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_an_answer_of_another_shape_may_pass_and_is_not_shown(
    cloud: Cloud, vaults: KeyVaults, uri: str, body: Any
) -> None:
    cloud.inject("secrets/odd", status=200, body=body)
    with pytest.raises(TemporaryError, match="Key Vault's answer has not the promised shape") as caught:
        vaults.value(uri, "odd")
    assert VALUE not in str(caught.value)
    assert caught.value.__cause__ is None
