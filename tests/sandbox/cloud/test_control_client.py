"""The controls' client speaks to the sandbox and to nobody else, whatever the environment holds."""

from pathlib import Path

import pytest

from sandbox.control_client import Control
from tests.sandbox.cloud.receiver import receiver


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_is_asked(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy, receiver() as sandbox:
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv(variable, proxy.url)
        assert control(sandbox.url).subscribe({"name": "any"}) == {}
        assert (len(sandbox.received), proxy.received) == (1, [])


def test_no_password_of_netrc_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with receiver() as sandbox:
        control(sandbox.url).subscribe({"name": "any"})
        (received,) = sandbox.received
    assert "authorization" not in received.headers
    assert received.headers["x-sandbox-key"] == "key"


def control(url: str) -> Control:
    return Control(url=url.partition("/hook")[0], key="key", ca="")
