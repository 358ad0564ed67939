"""Argo CD's ConfigMap `argocd-notifications-cm`, as far as deploy/argocd uses it; all else is refused aloud.

https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from ruamel.yaml import YAML

from sandbox import argo_expressions, argo_templates
from sandbox.argo_expressions import Expression
from sandbox.argo_language import LanguageError
from sandbox.argo_templates import Rendering
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_selectors import Matches, of_labels

SHIPPED: Final = Path(__file__).resolve().parents[1] / "deploy" / "argocd" / "notifications-cm.yaml"
_REFERENCE: Final = re.compile(r"\$([\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A webhook. Retries and transport are Argo CD's own: the options for them are not known here."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What a template says for one service."""

    method: str
    path: Rendering
    body: Rendering


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    message: Rendering
    webhooks: Mapping[str, Webhook]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    key: str
    """Its place in the trigger, and the digest of `when`."""
    when: Expression
    once_per: Expression | None
    send: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    recipients: tuple[str, ...]
    triggers: tuple[str, ...]
    matches: Matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    services: Mapping[str, Service]
    templates: Mapping[str, Template]
    triggers: Mapping[str, tuple[Condition, ...]]
    subscriptions: tuple[Subscription, ...]

    @classmethod
    def read(cls, data: Mapping[str, str], secret: Mapping[str, str]) -> Self:
        """data: of the ConfigMap. secret: of argocd-notifications-secret, decoded. Raises LanguageError."""
        services: dict[str, Service] = {}
        templates: dict[str, Template] = {}
        triggers: dict[str, tuple[Condition, ...]] = {}
        subscriptions: tuple[Subscription, ...] = ()
        for key, text in data.items():
            said = YAML(typ="safe", pure=True).load(text)
            match key.split("."):
                case ["service", "webhook", name]:
                    services[name] = _service(key, said, secret)
                case ["template", name]:
                    templates[name] = _template(key, said)
                case ["trigger", name]:
                    triggers[name] = tuple(_condition(key, at, one) for at, one in enumerate(said))
                case ["subscriptions"]:
                    subscriptions = tuple(_subscription(one) for one in said)
                case _:
                    raise LanguageError(f"{key} is not known here")
        return cls(services=services, templates=templates, triggers=triggers, subscriptions=subscriptions)

    def recipients(self, application: Object) -> Iterable[tuple[str, str]]:
        """Triggers and whom they tell of it, each pair once."""
        found = [
            (trigger, recipient)
            for one in self.subscriptions
            if one.matches(application)
            for trigger in one.triggers
            for recipient in one.recipients
        ]
        return dict.fromkeys(found)


def shipped(url: str) -> dict[str, str]:
    """The data of deploy/argocd with the address of an app in the place of the one to be adapted."""
    data: dict[str, str] = YAML(typ="safe", pure=True).load(SHIPPED)["data"]
    (service,) = (key for key in data if key.startswith("service."))
    address = re.compile(r"^url: \S+$", re.MULTILINE)
    return {**data, service: address.sub(lambda _: f"url: {url}", data[service])}


def _service(key: str, said: Mapping[str, Any], secret: Mapping[str, str]) -> Service:
    _known(key, said, {"url", "headers"})
    headers = {one["name"]: _resolved(one["value"], secret) for one in said.get("headers", ())}
    return Service(url=_resolved(said["url"], secret), headers=headers)


def _resolved(text: str, secret: Mapping[str, str]) -> str:
    """A reference to a key that the secret lacks stays as it stands."""
    return _REFERENCE.sub(lambda found: secret.get(found[1], found[0]), text)


def _template(key: str, said: Mapping[str, Any]) -> Template:
    _known(key, said, {"message", "webhook"})
    webhooks = {}
    for service, one in said.get("webhook", {}).items():
        _known(key, one, {"method", "path", "body"})
        webhooks[service] = Webhook(
            method=one.get("method") or "GET",
            path=argo_templates.parse(one.get("path", "")),
            body=argo_templates.parse(one.get("body", "")),
        )
    return Template(message=argo_templates.parse(said.get("message", "")), webhooks=webhooks)


def _condition(key: str, at: int, said: Mapping[str, Any]) -> Condition:
    _known(key, said, {"when", "oncePer", "send", "description"})
    digest = hashlib.sha1(said["when"].encode(), usedforsecurity=False).digest()
    return Condition(
        key=f"[{at}].{base64.urlsafe_b64encode(digest).decode().rstrip('=')}",
        when=argo_expressions.parse(said["when"]),
        once_per=argo_expressions.parse(said["oncePer"]) if "oncePer" in said else None,
        send=tuple(said["send"]),
    )


def _subscription(said: Mapping[str, Any]) -> Subscription:
    _known("subscriptions", said, {"recipients", "triggers", "selector"})
    return Subscription(
        recipients=tuple(said["recipients"]),
        triggers=tuple(said["triggers"]),
        matches=of_labels(said.get("selector", "")),
    )


def _known(key: str, said: Mapping[str, Any], names: set[str]) -> None:
    if unknown := set(said) - names:
        raise LanguageError(f"{key}: {', '.join(sorted(unknown))} is not known here")
