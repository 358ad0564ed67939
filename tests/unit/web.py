"""What web addresses answer, in memory."""

from dataclasses import dataclass, field

from shared.clients.web import NoAnswer, Page


@dataclass(slots=True)
class Web:
    pages: dict[str, Page | NoAnswer] = field(default_factory=dict)
    """By address; nobody answers at any other."""
    asked: list[str] = field(default_factory=list)

    def get(self, origin: str, path: str) -> Page | NoAnswer:
        self.asked.append(f"{origin}{path}")
        return self.pages.get(f"{origin}{path}", NoAnswer("refused"))

    def answer(self, address: str, status: int, redirected_to: str | None = None) -> None:
        self.pages[address] = Page(status=status, redirected_to=redirected_to)
