"""Certificates of the loopback servers.

The authorities carry basicConstraints, keyUsage and key identifiers, since Python 3.13 verifies strictly.
"""

import ssl

import trustme


class Authority:
    """A certificate authority that vouches for loopback addresses."""

    def __init__(self, name: str) -> None:
        self._ca = trustme.CA(organization_name=name)

    @property
    def pem(self) -> bytes:
        return self._ca.cert_pem.bytes()

    def server_context(self) -> ssl.SSLContext:
        """A TLS context for a server on 127.0.0.1 or localhost."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """A TLS context for a client that trusts this authority only."""
        return ssl.create_default_context(cadata=self.pem.decode())
