"""Foreign failure texts as our reason codes: one table for every text that another system wrote. Pure.

Promises: no verdict where the text does not carry one, no credential in any answer, no exception for any
text, and a time that does not grow with a text beyond what is looked at.
"""

from shared.failure_texts.classifier import classify, classify_first
from shared.failure_texts.model import Explanation, FailureText
from shared.failure_texts.table import TABLE

__all__ = ["TABLE", "Explanation", "FailureText", "classify", "classify_first"]
