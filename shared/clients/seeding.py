"""The one way that a secret's value takes: out of Key Vault, into Vault, and nowhere else."""

from dataclasses import dataclass
from typing import Final

from shared.clients.azure_core import AGAIN
from shared.clients.key_vault import KeyVaults
from shared.clients.vault import LoginRefused, Vaults
from shared.errors import NotWritten, before_a_write
from shared.model import Known, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    uri: str
    """Of the Key Vault."""
    secret: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    address: str
    """Of Vault."""
    login_mount: str
    login_role: str
    login_audience: str
    mount: str
    key: str
    cas: int
    """The version that is there now; 0 where the key was never written."""


class Seeding:
    def __init__(self, key_vaults: KeyVaults, vaults: Vaults) -> None:
        self._key_vaults: Final = key_vaults
        self._vaults: Final = vaults

    def copy(self, source: Source, to: Destination) -> None:
        """Four calls: a token, a login, a read, a write. The value is in no record, error or log.

        Raises WriteConflict where another version stands there by now, another NotWritten where it did not
        come to the write or Vault refused it. Else ReconvergeError; a lost answer to the write
        (TemporaryError) leaves open whether it was done.
        """
        login = self._vaults.login(to.address, to.login_mount, to.login_role, to.login_audience)
        if not isinstance(login, Known):
            why = login.why if isinstance(login, LoginRefused | Unknown) else "no login"
            raise NotWritten(f"nothing was written: {why}", delay=AGAIN)
        with before_a_write():
            value = self._key_vaults.value(source.uri, source.secret, source.version)
        self._vaults.write(login.value, to.mount, to.key, value, cas=to.cas)
