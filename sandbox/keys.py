"""RSA signing keys: those of Entra, and those of each cluster's issuer."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

type Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    private: rsa.RSAPrivateKey

    @classmethod
    def generate(cls) -> Self:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        modulus = _big_endian(private.public_key().public_numbers().n)
        return cls(_base64url(hashlib.sha256(modulus).digest()), private)

    def sign(self, claims: Mapping[str, object]) -> str:
        """A compact JWT, RS256, with the key id in its header."""
        return jwt.encode(dict(claims), self.private, algorithm="RS256", headers={"kid": self.kid})

    def jwk(self) -> Json:
        numbers = self.private.public_key().public_numbers()
        return {
            "use": "sig",
            "kty": "RSA",
            "kid": self.kid,
            "alg": "RS256",
            "n": _base64url(_big_endian(numbers.n)),
            "e": _base64url(_big_endian(numbers.e)),
        }


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """The two keys that a cluster's issuer publishes. The first one signs.

    After a rotation the key before stays published, so tokens it has signed go on being accepted for their
    last day: https://learn.microsoft.com/azure/aks/use-oidc-issuer
    """

    signing: SigningKey
    other: SigningKey

    @classmethod
    def generate(cls) -> Self:
        return cls(SigningKey.generate(), SigningKey.generate())

    def rotated(self) -> Self:
        return type(self)(SigningKey.generate(), self.signing)

    def published(self) -> tuple[SigningKey, SigningKey]:
        return self.signing, self.other


def jwks(keys: tuple[SigningKey, ...]) -> Json:
    return {"keys": [key.jwk() for key in keys]}


def _big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
