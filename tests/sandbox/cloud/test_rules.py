"""The cloud's rules about time, on a virtual clock and without a server."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.arm_errors import ArmError
from sandbox.cloud import Cloud
from sandbox.entra import ASSERTION_TYPE, Entra
from sandbox.entra_errors import EntraError
from sandbox.eventgrid import pause
from sandbox.keys import IssuerKeys
from sandbox.platform import seed_directory
from sandbox.records import Credential, Identity
from sandbox.throttling import Throttle
from sandbox.timeline import BEGINNING, Shelf
from sandbox.tokens import ARM_AUDIENCES, Fault, TokenError, Tokens

START = datetime(2026, 1, 1, tzinfo=UTC)
ISSUER = "https://issuer/"
AUDIENCE = "api://AzureADTokenExchange"
IDENTITY = Identity(
    subscription="s",
    group="g",
    name="one",
    location="westeurope",
    client_id="client",
    principal_id="principal",
    credentials={"trust": Credential(name="trust", issuer=ISSUER, subject="sub", audience=AUDIENCE)},
)


class VirtualClock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def keys() -> IssuerKeys:
    return IssuerKeys.generate()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def cloud(clock: VirtualClock, keys: IssuerKeys) -> Cloud:
    held = Cloud(
        tenant="tenant",
        subscription="s",
        location="westeurope",
        groups=("g",),
        base_url="https://cloud",
        clock=clock,
        issuers={ISSUER: keys},
    )
    held.identities.put(IDENTITY.id, IDENTITY, BEGINNING)
    return held


def assertion(keys: IssuerKeys, **times: float) -> Mapping[str, str]:
    start = START.timestamp()
    claims = {"iss": ISSUER, "sub": "sub", "aud": [AUDIENCE], "nbf": start, "exp": start + 600, **times}
    return {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": keys.signing.sign(claims),
        "scope": "https://vault.azure.net/.default",
    }


def refusal(entra: Entra, form: Mapping[str, str]) -> int:
    with pytest.raises(EntraError) as refused:
        entra.grant("tenant", form)
    return refused.value.kind.code


def test_the_operators_secret_can_follow_the_p_of_az_login(cloud: Cloud) -> None:
    """`-p -abc` is an option without a word to az; by chance that is one secret of 64."""
    first_letters = {str(seed_directory(cloud)[0].secret)[0] for _ in range(500)}
    assert "-" not in first_letters


def test_an_assertion_is_good_until_it_expires(cloud: Cloud, clock: VirtualClock, keys: IssuerKeys) -> None:
    entra = Entra(cloud, Tokens(cloud))
    clock.advance(599)
    entra.grant("tenant", assertion(keys))
    clock.advance(1)
    assert refusal(entra, assertion(keys)) == 700024


def test_an_assertion_from_the_future_is_refused(cloud: Cloud, keys: IssuerKeys) -> None:
    entra = Entra(cloud, Tokens(cloud))
    assert refusal(entra, assertion(keys, nbf=START.timestamp() + 3600)) == 700024


def test_an_access_token_is_good_until_it_expires(
    cloud: Cloud, clock: VirtualClock, keys: IssuerKeys
) -> None:
    tokens = Tokens(cloud)
    _, answer = Entra(cloud, tokens).grant(
        "tenant", {**assertion(keys), "scope": "https://management.azure.com/.default"}
    )
    token = str(answer["access_token"])
    clock.advance(3598)
    assert tokens.verify(token, ARM_AUDIENCES).object_id == "principal"
    clock.advance(1)
    with pytest.raises(TokenError) as refused:
        tokens.verify(token, ARM_AUDIENCES)
    assert refused.value.fault is Fault.EXPIRED


def test_a_deleted_credential_counts_until_the_deletion_has_propagated(
    cloud: Cloud, clock: VirtualClock, keys: IssuerKeys
) -> None:
    entra = Entra(cloud, Tokens(cloud))
    cloud.dials.entra_propagation = 120
    cloud.identities.put(IDENTITY.id, None, clock())
    clock.advance(119)
    entra.grant("tenant", assertion(keys))
    clock.advance(1)
    assert refusal(entra, assertion(keys)) == 700016


def test_a_shelf_remembers_what_was_when() -> None:
    shelf: Shelf[str] = Shelf()
    for second, value in ((1, "first"), (2, "second"), (3, None)):
        shelf.put("Key", value, START + timedelta(seconds=second))
    seen = [shelf.get("kEY", START + timedelta(seconds=second)) for second in range(5)]
    assert seen == [None, "first", "second", None, None]
    assert shelf.all(START + timedelta(seconds=2.5)) == ["second"]


def admitted(throttle: Throttle, kind: str, identity: str, now: datetime) -> str:
    try:
        throttle.admit(kind, identity, now)
    except ArmError as refused:
        return refused.headers["Retry-After"]
    return ""


def test_one_identity_is_listed_once_in_four_seconds(clock: VirtualClock) -> None:
    throttle = Throttle()
    answers = []
    for _ in range(6):
        answers.append(admitted(throttle, "list", "/one", clock()))
        clock.advance(1)
    assert answers == ["", "3", "2", "1", "", "3"]


def test_a_subscription_is_listed_five_times_a_second_over_all_identities(clock: VirtualClock) -> None:
    throttle = Throttle()
    answers = [admitted(throttle, "list", f"/{number}", clock()) for number in range(6)]
    assert answers == ["", "", "", "", "", "1"]
    clock.advance(0.2)
    assert admitted(throttle, "list", "/5", clock()) == ""


PAUSES = {
    "the first failure waits 10 s": (1, 500, 10),
    "the second waits 30 s": (2, 500, 30),
    "the ninth waits 6 h": (9, 500, 21600),
    "all later ones wait 12 h": (25, 500, 43200),
    "nobody there is as good as 500": (1, None, 10),
    "404 waits at least 5 min": (1, 404, 300),
    "503 waits at least 30 s": (1, 503, 30),
    "a minimum never shortens the schedule": (6, 503, 1800),
}


@pytest.mark.parametrize("case", PAUSES)
def test_event_grid_waits_by_its_schedule(case: str) -> None:
    attempts, status, seconds = PAUSES[case]
    assert pause(attempts, status) == seconds
