"""What an address answers to somebody without any credentials.

Asked are only addresses that the landscape names. Redirects are followed within the same origin alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer."""

    status: int
    """Of the last answer, a redirect to another origin included."""
    redirected_to: str | None = None
    """Origin (`https://host[:port]`) that the last answer leads to; None where it leads nowhere."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody answered in time, or not as a web server."""

    why: str
    """In our words: timeout, refused, name, certificate, or other."""
