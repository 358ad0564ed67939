"""Which objects a list, a watch or a delete means.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.kubernetes_errors import bad_request
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import EVENTS, JOBS, NAMESPACES, PODS, SECRETS, Resource

type Matches = Callable[[Object], bool]

_SET = re.compile(r"(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^()]*)\)")
_EQUAL = re.compile(r"(?P<key>[^\s!=,()]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s!=,()]*)")
_EXISTS = re.compile(r"(?P<not>!\s*)?(?P<key>[^\s!=,()]+)")

_EVERY_KIND = ("metadata.name", "metadata.namespace")
_OF_KIND: Mapping[Resource, tuple[str, ...]] = {
    EVENTS: (
        *(
            f"involvedObject.{name}"
            for name in ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid")
        ),
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    JOBS: ("status.successful",),
    NAMESPACES: ("status.phase",),
    PODS: (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.nominatedNodeName",
        "status.phase",
        "status.podIP",
    ),
    SECRETS: ("type",),
}
# Where a field's selector is not called after the field.
_ELSEWHERE = {(EVENTS, "source"): "source.component", (JOBS, "status.successful"): "status.succeeded"}


def selection(resource: Resource, query: Mapping[str, str]) -> Matches:
    """What both selectors of the query let through. Raises StatusError (400)."""
    labels = of_labels(query.get("labelSelector", ""))
    tests = [*_field_tests(resource, query.get("fieldSelector", ""))]
    return lambda held: labels(held) and all(test(held) for test in tests)


def of_labels(text: str) -> Matches:
    """What a selector of labels lets through; an empty one everything. Raises StatusError (400)."""
    tests = [*_label_tests(text)]
    return lambda held: all(test(held) for test in tests)


def _label_tests(text: str) -> Iterator[Matches]:
    for part in re.split(r",(?![^()]*\))", text) if text.strip() else ():
        yield _label_test(part.strip())


def _label_test(part: str) -> Matches:
    if found := _SET.fullmatch(part):
        values = {one.strip() for one in found["values"].split(",")}
        return _among(found["key"], values, wanted=found["operator"] == "in")
    if found := _EQUAL.fullmatch(part):
        return _among(found["key"], {found["value"]}, wanted=found["operator"] != "!=")
    if found := _EXISTS.fullmatch(part):
        key, wanted = found["key"], not found["not"]
        return lambda held: (key in _labels(held)) is wanted
    raise bad_request(f'unable to parse requirement: found "{part}", expected: identifier')


def _among(key: str, values: set[str], *, wanted: bool) -> Matches:
    """An object without the label has none of the values."""
    return lambda held: (_labels(held).get(key) in values) is wanted


def _labels(held: Object) -> Mapping[str, str]:
    return held["metadata"].get("labels") or {}


def _field_tests(resource: Resource, text: str) -> Iterator[Matches]:
    for part in text.split(",") if text.strip() else ():
        found = re.fullmatch(r"\s*(?P<field>[^!=]+?)\s*(?P<operator>==|=|!=)(?P<value>[^=]*)", part)
        if found is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        if found["field"] not in (*_EVERY_KIND, *_OF_KIND.get(resource, ())):
            raise bad_request(f"field label not supported: {found['field']}")
        field = _ELSEWHERE.get((resource, found["field"]), found["field"])
        yield _field_test(field, found["value"].strip(), wanted=found["operator"] != "!=")


def _field_test(field: str, value: str, *, wanted: bool) -> Matches:
    return lambda held: (_text(held, field) == value) is wanted


def _text(held: Object, field: str) -> str:
    value: Any = held
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)
