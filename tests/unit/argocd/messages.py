"""What Argo CD's notifications send, and may send."""

import json
from typing import Any, Final

from hypothesis import strategies as st

APPLICATION: Final = {
    "namespace": "argocd",
    "name": "dev-foundation-vault-bootstrap",
    "uid": "7b5d3f0e-9f0a-4a55-8c1e-4f1d9f1f2a10",
}
SUBJECT: Final = "argocd/dev-foundation-vault-bootstrap"
MESSAGE: Final[dict[str, Any]] = {
    "application": APPLICATION,
    "trigger": "reconverge-sync-failed",
    "revision": "d7273e6d72ff3bb3dd2a2e3ff9ad7fb9d8e9a6a8",
    "startedAt": "2026-11-26T01:02:03Z",
}
UNESCAPED: Final = 'exec: "git": `git submodule update` failed\nfatal: upload-pack: not our ref 038d4d9'
"""As a template prints a message that it does not pipe to toJson."""

SPOILERS: Final = ('"', "\n", "<no value>", "NaN", "[" * 20_000, '"application"', '{"application": {}}')


def encoded(**changes: Any) -> bytes:
    """The message with parts replaced; None takes a part away."""
    return json.dumps({key: one for key, one in {**MESSAGE, **changes}.items() if one is not None}).encode()


def about(**changes: Any) -> bytes:
    """The message about an Application with parts of its name replaced; None takes a part away."""
    application = {key: one for key, one in {**APPLICATION, **changes}.items() if one is not None}
    return encoded(application=application)


def bodies() -> st.SearchStrategy[bytes]:
    """Anything, and above all what is nearly a message: cut, spoilt, in another encoding."""
    whole = st.sampled_from([encoded(), encoded(message=UNESCAPED), about(name="Wrong")])
    return st.binary(max_size=300) | st.text(max_size=100).map(_utf8) | whole.flatmap(_spoilt)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@st.composite
def _spoilt(draw: st.DrawFn, body: bytes) -> bytes:
    text = body.decode()
    at = draw(st.integers(0, len(text)))
    until = draw(st.integers(at, len(text)))
    put = draw(st.text(max_size=20) | st.sampled_from(SPOILERS))
    ways = [
        lambda: _utf8(text[:at]),
        lambda: _utf8(text[:at] + put + text[at:]),
        lambda: _utf8(text[:at] + put + text[until:]),
        lambda: text.encode(draw(st.sampled_from(["utf-8-sig", "utf-16", "utf-32-le", "utf-16-be"])))[:until],
        lambda: body[:at] + draw(st.binary(max_size=8)) + body[at:],
    ]
    return draw(st.sampled_from(ways))()
