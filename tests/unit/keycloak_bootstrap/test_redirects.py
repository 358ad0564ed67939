"""Which redirect URIs a client of Keycloak accepts."""

import pytest

from responders.keycloak_bootstrap.redirects import accepts

URI = "https://gitlab.dev.ameide.io/users/auth/openid_connect/callback"

CASES: dict[str, tuple[tuple[str, ...], bool]] = {
    "none": ((), False),
    "the very same": ((URI,), True),
    "the very same among others": (("https://other/cb", URI), True),
    "one of another host": ((URI.replace("dev", "staging"),), False),
    "one in other letter case": ((URI.upper(),), False),
    "one that goes on": ((f"{URI}/more",), False),
    "a star at the host": (("https://gitlab.dev.ameide.io/*",), True),
    "a star at the path": (("https://gitlab.dev.ameide.io/users/*",), True),
    "a star right behind it": ((f"{URI}*",), True),
    "a star below it": ((f"{URI}/*",), True),
    "a star at another path": (("https://gitlab.dev.ameide.io/api/*",), False),
    "a star in the middle is no star": (("https://gitlab.dev.ameide.io/*/callback",), False),
    "a star for everything": (("*",), True),
    "one that is relative to a root URL that is not known": (("/*",), False),
}


@pytest.mark.parametrize(("held", "expected"), CASES.values(), ids=CASES)
def test_accepts(held: tuple[str, ...], expected: bool) -> None:
    assert accepts(held, URI) is expected


def test_a_declared_star_is_covered_by_a_wider_one() -> None:
    assert accepts(("https://gitlab.dev.ameide.io/*",), "https://gitlab.dev.ameide.io/users/*")


def test_what_stands_behind_a_question_mark_does_not_count_for_a_star() -> None:
    assert accepts(("https://a/*",), "https://a/cb?x=https://b")
    assert not accepts(("https://a/cb?x=*",), "https://a/cb?x=1")
