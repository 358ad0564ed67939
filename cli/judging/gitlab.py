"""Does GitLab show a page that it makes with its database? Asked as a browser does, without a login."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.judging.asking import Outside
from cli.judging.verdict import Verdict, fails, holds
from shared.landscape import Environment, Landscape


@dataclass(frozen=True, slots=True, kw_only=True)
class PageIsShown:
    """The page answers, and with no error of the server's."""

    environment: str
    cluster: str
    url: str
    page: str
    release: str

    @property
    def kind(self) -> str:
        return "page"

    @property
    def name(self) -> str:
        return f"{self.release}{self.page}"

    @property
    def journalled(self) -> str:
        return f"{self.environment}/{self.responder}"

    @property
    def responder(self) -> str:
        return "gitlab_migrations"

    def judge(self, outside: Outside) -> Verdict:
        answer = outside.page(f"{self.url}{self.page}")
        if answer is None:
            return fails("not up")
        said = str(answer.status_code)
        return fails(said) if answer.status_code >= 500 else holds(said)


def claims(environment: Environment, _: Landscape) -> Iterator[PageIsShown]:
    if declared := environment.gitlab:
        yield PageIsShown(
            environment=environment.name,
            cluster=environment.cluster(declared.cluster).id.rpartition("/")[2],
            url=declared.url,
            page=declared.page,
            release=declared.release,
        )
