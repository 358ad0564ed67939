"""Which Application a message of Argo CD's notifications is about. Pure; read by shared.signals.

Nothing in the message is trusted beyond "look at this Application": it only wakes, and no address in it is
ever called. The form is that of deploy/argocd/notifications-cm.yaml; a template of somebody else's that names
the Application in the same place is read as well. Argo CD signs nothing and declares no type of content by
itself, so none is asked for.

Facts: https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

LARGEST_REPORT: Final = 2 * 1024 * 1024
"""Bytes that are looked into. etcd takes 1.5 MiB an object, so a longer message than an Application itself is
no report about one; our own templates send half a kilobyte."""

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAMES: Final = {
    "namespace": re.compile(rf"(?=.{{1,63}}\Z){_LABEL}"),
    "name": re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*"),
}
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""

_BEGINNING: Final = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"application"[ \t\r\n]*:[ \t\r\n]*')
_EVENT: Final = ("trigger", "startedAt", "revision", "conditions", "since")
"""What tells one event of an Application from the next, beside its uid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    application: str
    """`<namespace>/<name>`, both valid names of Kubernetes."""
    event: str
    """The same for the same event: 32 hexadecimal digits."""


class UnreadableReportError(Exception):
    """Its text says why, in our words only."""

    def __init__(self, why: str, application: str | None = None) -> None:
        """application: `<namespace>/<name>` where that can be told all the same."""
        super().__init__(why)
        self.application: Final = application


def read_report(body: bytes) -> Report:
    """Raises UnreadableReportError, and nothing else whatever the bytes are.

    One rule finds the Application in a text that is no JSON as a whole, mostly since somebody else's text
    stands in it unescaped: `"application"` is the first member, its value is complete, and the word occurs
    once. Nothing that such a text says can stand before it.
    """
    if len(body) > LARGEST_REPORT:
        raise UnreadableReportError(f"the message is larger than {LARGEST_REPORT} bytes")
    # What is no character becomes one that no name holds, so it can do harm only where nothing is read.
    text = body.decode(json.detect_encoding(body), "replace")
    if not text.strip():
        raise UnreadableReportError("the message is empty")
    try:
        said = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UnreadableReportError(_broken(text, error), _in_front(text)) from None
    except (ValueError, RecursionError):
        raise UnreadableReportError("the message is nested too deeply, or holds an endless number") from None
    if not isinstance(said, Mapping):
        raise UnreadableReportError("the message is JSON, and no object")
    application = _named(said.get("application"))
    return Report(application=application, event=_event(application, said))


def _broken(text: str, error: json.JSONDecodeError) -> str:
    hint = "; a template printed a missing field as <no value>" if "<no value>" in text else ""
    return f"the message is not JSON: {error.msg} at character {error.pos}{hint}"


def _in_front(text: str) -> str | None:
    begun = _BEGINNING.match(text)
    if begun is None or text.count('"application"') != 1:
        return None
    try:
        application, _ = _DECODER.raw_decode(text, begun.end())
        return _named(application)
    except (UnreadableReportError, ValueError, RecursionError):
        return None


def _named(application: object) -> str:
    """Valid names only: the text ends in the journal, and picks the object that is looked at."""
    if not isinstance(application, Mapping):
        raise UnreadableReportError("`application` is missing, or no object")
    for part, allowed in _NAMES.items():
        name = application.get(part)
        if not isinstance(name, str) or not allowed.fullmatch(name):
            raise UnreadableReportError(f"`application.{part}` is missing, or no name of Kubernetes")
    return f"{application['namespace']}/{application['name']}"


def _event(application: str, said: Mapping[str, Any]) -> str:
    """By what our templates send: a message that comes twice has the same id, whatever else it holds."""
    parts = [application, _text(said["application"].get("uid")), *(_text(said.get(name)) for name in _EVENT)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _text(value: object) -> str | list[str] | None:
    """A text, or the texts of a list: an Application of several sources has several revisions."""
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return value if isinstance(value, str) else None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two members of one name readers take the first or the last, so neither is beyond doubt."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise UnreadableReportError("the message names a member twice")
    return read


def _no_number(word: str) -> NoReturn:
    raise UnreadableReportError(f"the message holds {word}, which is no number of JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_number)
