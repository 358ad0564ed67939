"""Shared by the readers of Argo CD's two languages for notifications: templates and expressions."""


class LanguageError(Exception):
    """It uses what is not known here. Never to be taken for a failure that Argo CD would meet."""
