"""What stops a host from starting."""


class HostError(Exception):
    """The app or its settings cannot be served. The text says what is wrong and what to do."""
