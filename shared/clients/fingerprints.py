"""Secret values compared without being known: what leaves the clients of Key Vault, Vault and clusters
instead."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

PLACEHOLDER_KEY: Final = b"reconverge-placeholder"
"""Known to everybody: an operator makes the digest of a fixture value with it.

`printf %s '<value>' | openssl dgst -sha256 -hmac reconverge-placeholder`
"""
_PROCESS_KEY: Final = secrets.token_bytes(32)
"""Of this process alone: nobody can try values against a digest that got out."""


@dataclass(frozen=True, slots=True)
class SecretText:
    """A value on its way from Key Vault to Vault. Never shown, compared or kept."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What may be known of a value."""

    digest: str
    """Equal for equal values, within this process only."""
    placeholder: bool
    """It is one of the fixture values that were declared."""


def fingerprint(value: str, placeholders: Collection[str]) -> Fingerprint:
    """placeholders: as `placeholder_digest` makes them."""
    return Fingerprint(_digest(_PROCESS_KEY, value), placeholder_digest(value) in placeholders)


def placeholder_digest(value: str) -> str:
    """HMAC-SHA256, hex, under a key that everybody knows. For fixture values only."""
    return _digest(PLACEHOLDER_KEY, value)


def is_placeholder(value: bytes, placeholders: Collection[str]) -> bool:
    """placeholders: as `placeholder_digest` makes them."""
    return _digest(PLACEHOLDER_KEY, value) in placeholders


def is_published(value: bytes, published: str) -> bool:
    """Whether a digest that others published, SHA-256 in hexadecimal digits, is that of the value."""
    made = hashlib.sha256(value).hexdigest()
    return hmac.compare_digest(made.encode(), published.strip().lower().encode(errors="replace"))


def _digest(key: bytes, value: str | bytes) -> str:
    content = value.encode(errors="surrogatepass") if isinstance(value, str) else value
    return hmac.new(key, content, hashlib.sha256).hexdigest()
