"""An answer has its time as a whole, headers included, however its bytes come."""

import socket
from collections.abc import Iterator
from threading import Event, Thread, Timer

import pytest
import requests

from shared.clients.deadlines import adapter

SECONDS = 0.3
HEADERS = b"HTTP/1.1 200 OK\r\nX: "
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def session() -> requests.Session:
    made = requests.Session()
    made.mount("http://", adapter(SECONDS, 1))
    return made


@pytest.fixture
def served() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def trickle(listening: socket.socket, begins: bytes, done: Event) -> None:
    """Byte after byte without an end; each comes well before a socket's own time is over."""
    taken, _ = listening.accept()
    with taken:
        try:
            taken.sendall(begins)
            while not done.wait(SECONDS / 20):
                taken.sendall(b"x")
        except OSError:
            return


@pytest.mark.parametrize("begins", [HEADERS, WHOLE[:-2].replace(b": 2", b": 9999")], ids=["headers", "body"])
def test_what_trickles_is_given_up_as_a_whole(
    session: requests.Session, served: socket.socket, begins: bytes
) -> None:
    done = Event()
    thread = Thread(target=trickle, args=(served, begins, done), daemon=True)
    thread.start()
    end = Timer(10 * SECONDS, done.set)
    end.start()
    with pytest.raises((requests.exceptions.Timeout, requests.exceptions.ConnectionError)):
        session.get(f"http://127.0.0.1:{served.getsockname()[1]}/", timeout=10)
    # Else it was the server that gave up.
    assert not done.is_set()
    end.cancel()
    done.set()
    thread.join()


def test_each_answer_of_a_connection_has_its_own_time(
    session: requests.Session, served: socket.socket
) -> None:
    def answer() -> None:
        taken, _ = served.accept()
        with taken:
            for _ in range(2):
                taken.recv(4096)
                taken.sendall(WHOLE)

    thread = Thread(target=answer, daemon=True)
    thread.start()
    for _ in range(2):
        assert session.get(f"http://127.0.0.1:{served.getsockname()[1]}/", timeout=5).text == "ok"
    thread.join()
