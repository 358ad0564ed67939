"""What each refusal of ARM means for us."""

from datetime import timedelta

import pytest

from shared.clients.arm import CONCURRENT_CREDENTIAL_WRITES, NotThere, ResourceId, classify, read
from shared.clients.azure_core import Answer
from shared.errors import (
    Misconfigured,
    NotWritten,
    PermanentError,
    ReconvergeError,
    TemporaryError,
    Throttled,
    WriteConflict,
)
from shared.model import Absent, Known, Unknown

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

CASES: dict[str, tuple[int, str, type[ReconvergeError], timedelta | None]] = {
    "a bad request stays bad": (400, "BadRequest", PermanentError, None),
    "a held pair of issuer and subject is a bad request": (400, "InvalidResource", PermanentError, None),
    "a region without federated credentials": (405, "MethodNotAllowed", PermanentError, None),
    "an expired token": (401, "ExpiredAuthenticationToken", NotWritten, 5 * MINUTE),
    "a subscription of another tenant": (401, "InvalidAuthenticationTokenTenant", PermanentError, None),
    "a token for another cloud": (401, "InvalidAuthenticationTokenAudience", PermanentError, None),
    "a role that may not be seen everywhere yet": (403, "AuthorizationFailed", NotWritten, 5 * MINUTE),
    "a policy that forbids it": (403, "RequestDisallowedByPolicy", PermanentError, None),
    "a resource that is gone": (404, "ResourceNotFound", NotThere, 30 * SECOND),
    "a parent that is gone": (404, "ParentResourceNotFound", NotThere, 30 * SECOND),
    "a resource group that is gone": (404, "ResourceGroupNotFound", NotThere, 30 * SECOND),
    "a subscription that is gone or hidden": (404, "SubscriptionNotFound", PermanentError, None),
    "a 404 of something else on the way": (404, "", NotWritten, 30 * SECOND),
    "another writer under the same identity": (409, CONCURRENT_CREDENTIAL_WRITES, WriteConflict, 20 * SECOND),
    "a lock on the resource": (409, "ScopeLocked", PermanentError, None),
    "a provider that is not registered": (409, "MissingSubscriptionRegistration", PermanentError, None),
    "any other conflict": (409, "Conflict", TemporaryError, 30 * SECOND),
    "a condition that no longer holds": (412, "PreconditionFailed", NotWritten, 5 * SECOND),
    "too many requests": (429, "TooManyRequests", Throttled, 30 * SECOND),
    "a server that fails": (500, "InternalServerError", TemporaryError, 30 * SECOND),
    "a gateway that fails": (502, "", TemporaryError, 30 * SECOND),
    "a server that is busy": (503, "ServerBusy", TemporaryError, 30 * SECOND),
    "a status that nobody listed": (418, "", TemporaryError, 30 * SECOND),
}


@pytest.mark.parametrize(("status", "code", "kind", "delay"), CASES.values(), ids=CASES)
def test_a_refusal_is_said_in_our_words(
    status: int, code: str, kind: type[ReconvergeError], delay: timedelta | None
) -> None:
    error = classify(Answer(service="ARM", status=status, code=code))
    assert type(error) is kind
    assert (error.delay if isinstance(error, TemporaryError) else None) == delay
    assert str(error).startswith(f"ARM answered {status} {code}".rstrip())


@pytest.mark.parametrize("code", ["ResourceNotFound", "ParentResourceNotFound"])
def test_under_what_is_gone_nothing_was_written(code: str) -> None:
    assert isinstance(classify(Answer(service="ARM", status=404, code=code)), NotWritten)


@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 418, 429, 500, 503])
def test_a_named_pause_is_kept_whatever_the_status(status: int) -> None:
    error = classify(Answer(service="ARM", status=status, code="Any", retry_after=7 * SECOND))
    assert isinstance(error, Throttled)
    assert error.delay == 7 * SECOND


def test_a_lost_race_under_an_identity_stays_one_with_a_named_pause() -> None:
    error = classify(
        Answer(service="ARM", status=409, code=CONCURRENT_CREDENTIAL_WRITES, retry_after=7 * SECOND)
    )
    assert isinstance(error, WriteConflict)
    assert error.delay == 7 * SECOND


def fails_with(error: Exception) -> object:
    def call() -> str:
        raise error

    return read(call)


def test_a_read_answers_what_was_read() -> None:
    assert read(lambda: "value") == Known("value")


def test_a_read_of_what_is_gone_is_absent() -> None:
    assert fails_with(NotThere("gone", delay=SECOND)) == Absent()


def test_a_failed_read_is_unknown_and_keeps_the_delay() -> None:
    assert fails_with(Throttled("later", delay=MINUTE)) == Unknown("later", MINUTE)
    assert fails_with(PermanentError("never")) == Unknown("never")


IDS = {
    "as ARM writes it": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Test/things/N",
    "as events write it": "/subscriptions/S/resourcegroups/G/providers/microsoft.test/THINGS/N",
    "with a slash at its end": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Test/things/N/",
}


@pytest.mark.parametrize("text", IDS.values(), ids=IDS)
def test_an_id_is_taken_apart(text: str) -> None:
    assert ResourceId.parse(text, "Microsoft.Test/things") == ResourceId("S", "G", "N")


WRONG_IDS = {
    "of another type": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Test/others/N",
    "of a child": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Test/things/N/parts/P",
    "with an address before it": "https://arm/subscriptions/S/resourceGroups/G/providers/Microsoft.Test/things/N",
    "where a dot is another character": "/subscriptions/S/resourceGroups/G/providers/MicrosoftXTest/things/N",
    "without a name": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Test/things/",
}


@pytest.mark.parametrize("text", WRONG_IDS.values(), ids=WRONG_IDS)
def test_another_id_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"is not the id of a Microsoft\.Test/things: write it like"):
        ResourceId.parse(text, "Microsoft.Test/things")
