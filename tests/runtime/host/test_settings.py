"""host.json and app settings."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.host.errors import HostError
from sandbox.host.settings import HostJson, load_local_settings, resolve, timespan


def host_json(directory: Path, document: object) -> HostJson:
    (directory / "host.json").write_text(json.dumps(document), encoding="utf-8")
    return HostJson.read(directory)


def queues(section: object) -> object:
    return {"version": "2.0", "extensions": {"queues": section}}


def test_an_empty_host_json_has_the_hosts_defaults(tmp_path: Path) -> None:
    read = host_json(tmp_path, {"version": "2.0"})
    assert (read.route_prefix, read.function_timeout) == ("api", timedelta(minutes=30))
    assert (read.queues.batch_size, read.queues.max_dequeue_count) == (16, 5)
    assert (read.queues.visibility_timeout, read.queues.max_polling_interval) == (
        timedelta(0),
        timedelta(minutes=1),
    )
    assert read.queues.base64


def test_the_new_batch_threshold_follows_the_batch_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    assert host_json(tmp_path, queues({"batchSize": 8})).queues.new_batch_threshold == 12


def test_a_threshold_of_zero_is_kept(tmp_path: Path) -> None:
    assert host_json(tmp_path, queues({"newBatchThreshold": 0})).queues.new_batch_threshold == 0


def test_a_function_timeout_of_minus_one_is_none(tmp_path: Path) -> None:
    assert host_json(tmp_path, {"version": "2.0", "functionTimeout": "-1"}).function_timeout is None


REFUSED: dict[str, tuple[object, str]] = {
    "no version": ({}, '"version" must be "2.0"'),
    "a batch of 33": (queues({"batchSize": 33}), "batchSize is a whole number, 1 to 32; not 33"),
    "a batch in words": (queues({"batchSize": "many"}), "batchSize"),
    "an unknown encoding": (queues({"messageEncoding": "utf7"}), "messageEncoding"),
    "a polling interval below 100 ms": (queues({"maxPollingInterval": "00:00:00.050"}), "maxPollingInterval"),
    "a time in seconds": (queues({"visibilityTimeout": "30"}), "visibilityTimeout is written hh:mm:ss"),
}


@pytest.mark.parametrize(("document", "complaint"), REFUSED.values(), ids=REFUSED)
def test_refuses_a_wrong_host_json(tmp_path: Path, document: object, complaint: str) -> None:
    with pytest.raises(HostError, match=complaint):
        host_json(tmp_path, document)


def test_says_that_host_json_is_missing(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"host\.json is missing"):
        HostJson.read(tmp_path)


TIMES = {
    "00:00:30": timedelta(seconds=30),
    "00:00:00.200": timedelta(milliseconds=200),
    "1.02:03:04": timedelta(days=1, hours=2, minutes=3, seconds=4),
    "00:00:00.1234567": timedelta(microseconds=123456),
}


@pytest.mark.parametrize("text", TIMES)
def test_reads_net_time_spans(text: str) -> None:
    assert timespan("any", text) == TIMES[text]


def test_settings_in_percent_signs_are_resolved() -> None:
    assert resolve("%PREFIX%-poison", {"PREFIX": "work"}) == "work-poison"


def test_a_setting_that_is_not_set_is_named() -> None:
    with pytest.raises(HostError, match="names the app setting WORK, which is not set"):
        resolve("%WORK%", {})


def test_local_settings_fill_what_the_environment_leaves_open(tmp_path: Path) -> None:
    document = {"Values": {"A": "file", "B": "file"}}
    (tmp_path / "local.settings.json").write_text(json.dumps(document), encoding="utf-8")
    assert load_local_settings(tmp_path, {"A": "environment"}) == {"B": "file"}
