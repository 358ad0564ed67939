"""Imports of SDKs, one thread at a time."""

from threading import RLock
from typing import Final

IMPORTING: Final = RLock()
"""Held around each import of an SDK within a function.

Python locks one module at a time. Packages whose modules import each other in a circle, as those of
azure-core and kubernetes do, then fail where two threads begin at two ends of it: with ImportError of a
half-made module, or with the import system's own `_DeadlockError`.
"""
