"""How a claim came out."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Verdict:
    answer: Answer
    says: str
    """In the words of whoever was asked, such as `refused AADSTS700211`. Never a value or an id."""

    def __str__(self) -> str:
        return self.says


def holds(says: str) -> Verdict:
    return Verdict(Answer.HOLDS, says)


def fails(says: str) -> Verdict:
    return Verdict(Answer.FAILS, says)
