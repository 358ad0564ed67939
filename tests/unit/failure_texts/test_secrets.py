"""No credential that a text holds comes back."""
# ruff: noqa: E501 (foreign texts, and as few breaks in them as can be)

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.failure_texts import classify
from shared.failure_texts.reading import redact
from tests.unit.failure_texts.wordings import BY_LABEL

SECRET: Final = "Zq7-hunter2-Pa55"
JWT: Final = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL28ifQ.c2lnbmF0dXJl"

PLACES: Final[dict[str, str]] = {
    "a login": f"fatal: Authentication failed for 'https://oauth2:{SECRET}@g.example.com/o/r.git/'",
    "a token alone": f"fatal: unable to access 'https://{SECRET}@g.example/r': Could not resolve host: g",
    "a password with an @": f"`git fetch https://u:a@{SECRET}@g/r` failed timeout after 1m30s",
    "a password with a slash": f"`git fetch https://u:a/{SECRET}@g/r` failed timeout after 1m30s",
    "a query": f"`git fetch https://g/r?private_token={SECRET}` failed timeout after 1m30s",
    "a header": f"`git -c http.extraHeader='Authorization: Basic {SECRET}' fetch o` failed timeout after 9s",
    "a bearer": f"`git -c http.extraHeader='X: Bearer {SECRET}' fetch origin` failed timeout after 1m30s",
    "a password": f"`helm dependency build --password={SECRET}` failed timeout after 1m30s",
    "an argument": f"`helm template . --username bob --password {SECRET} --repo https://c` failed exit status 1: Error: no chart",
    "an argument in quotes": f'`helm template . --password "a {SECRET}" --repo https://c` failed exit status 1: Error: no chart',
    "an argument of a longer name": f"`helm template . --registry-token {SECRET}` failed exit status 1: Error: no chart",
    "a short name": f"`helm template . --pass={SECRET}` failed exit status 1: Error: no chart",
    "a value": f"`helm template . --set registry.pass={SECRET} --set smtp.key=sk-live-abc` failed exit status 1: Error: x",
    "a later value": f"`helm template . --set a=b,smtp.key={SECRET}` failed exit status 1: Error: x",
    "a value with blanks": f"`helm template . --set-string a=my {SECRET} --values v` failed exit status 1: Error: x",
    "a value of lines": f"`helm template . --set-literal a=-----BEGIN KEY-----\n{SECRET}\n-----END KEY-----` failed exit status 1: "
    "Error: x",
    "a value in JSON": f'`helm template . --set-json \'a={{"k": "{SECRET}"}}\' --values v` failed exit status 1: Error: x',
    "a value, no quotes around the command": f"helm template . --set a={SECRET} failed exit status 1: Error: x",
    "a value of a script": f"+ helm template . --set a={SECRET}\n`helm template .` failed exit status 1: Error: x",
    "a literal": f"+ kubectl create secret generic s --from-literal k={SECRET}\n`helm template .` failed exit status 1: Error: x",
    "a user's short option": f"+ curl -sSf -u bob:{SECRET} https://c/x.tgz\n`helm template .` failed exit status 1: Error: x",
    "a user's short option in quotes": f"+ curl -u 'bob:a {SECRET}' https://c/x.tgz\n`helm template .` failed exit status 1: Error: x",
    "a login's short option": f"`helm registry login r -u bob -p {SECRET}` failed exit status 1: Error: x",
    "a login's short option in quotes": f'`docker login -p "a {SECRET}" -u bob r` failed exit status 1: Error: x',
    "a database's short option": f"+ mysql -h db -u root -p{SECRET} app\n`helm template .` failed exit status 1: Error: x",
    "a quote within": f"`helm template . --password a'{SECRET} --repo https://c` failed exit status 1: Error: no chart",
    "an account's key": f"AccountName=x;AccountKey={SECRET}; Vault is sealed",
    "a password in YAML": f"`kustomize build x` failed exit status 1: Error: password: {SECRET}",
    "JSON": f'unable to resolve \'x{{"token":"{SECRET}"}}\' to a commit SHA',
    "within what decides": f"Unable to resolve 'https://u:{SECRET}@g/r' to a commit SHA",
}


def said(text: str) -> str:
    found = classify(text)
    return f"{found!r} {found.evidence} {found.commit}"


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_a_credential_is_not_repeated(text: str) -> None:
    assert SECRET not in redact(text)
    assert SECRET not in said(text)


@pytest.mark.parametrize(
    "token",
    [
        f"ghp_{'a1B2' * 9}",
        f"github_pat_{'a1B2' * 9}",
        f"glpat-{'a1B2' * 5}",
        f"hvs.{'a1B2' * 6}",
        JWT,
    ],
)
def test_a_token_is_known_by_its_shape(token: str) -> None:
    text = f"Unable to resolve '{token}' to a commit SHA"
    assert redact(text) == "Unable to resolve '***' to a commit SHA"
    assert classify(text).evidence == redact(text)


def test_what_is_no_credential_stays() -> None:
    for text in (
        "https://github.com/o/r.git",
        "git@github.com:o/r.git",
        "Vault answered: invalid token: expired",
        "missing required Key Vault secret: ghcr-username",
        "`helm pull --pass-credentials --repo https://c a` failed exit status 1: Error: no chart",
        "`helm registry login r --password-stdin` failed exit status 1: Error: no chart",
        "`helm template . --set-file a=b --values v`",
        "psql --no-password --host h",
        "mkdir -p /tmp/x && cp -u a b",
        "mysql -u root -p\nEnter password:",
        "curl -u bob https://c",
    ):
        assert redact(text) == text


@pytest.mark.parametrize("name", [name for name, text in PLACES.items() if "`helm template" in text])
def test_what_stands_after_a_hidden_argument_is_read(name: str) -> None:
    failure = classify(PLACES[name]).failure
    assert failure is not None
    assert failure.code == "HelmTemplateFailed"


@settings(max_examples=100, deadline=None)
@given(
    text=st.sampled_from([text for texts in BY_LABEL.values() for text in texts.values() if "://" in text]),
    login=st.from_regex(r"[A-Za-z0-9._~-]{1,12}:[A-Za-z0-9._~!$&()*+,;=:@/-]{8,40}", fullmatch=True),
)
def test_a_login_in_any_url_of_a_failure_is_left_out_and_changes_no_answer(text: str, login: str) -> None:
    with_login = text.replace("://", f"://{login}@")
    assert login not in redact(with_login)
    assert login.partition(":")[2] not in said(with_login)
    assert classify(with_login).failure == classify(text).failure
