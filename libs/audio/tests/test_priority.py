import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from sidetone.audio import rtkit
from sidetone.audio.priority import Priority, raise_priority

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the other systems' ways")

Answer = Callable[[socket.socket, bytes], None]


def in_a_thread(call: Callable[[], Priority]) -> tuple[Priority, int]:
    """Return what *call* says in a thread of its own, and that thread's scheduler afterwards."""
    said: list[tuple[Priority, int]] = []
    thread = threading.Thread(target=lambda: said.append((call(), os.sched_getscheduler(0))))
    thread.start()
    thread.join()
    return said[0]


def test_a_thread_is_raised_alone_and_told_what_it_got() -> None:
    before = os.sched_getscheduler(0)
    given, scheduler = in_a_thread(raise_priority)
    assert given.detail
    is_fifo = scheduler & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
    assert is_fifo == given.detail.startswith("SCHED_FIFO")
    assert not is_fifo or scheduler & os.SCHED_RESET_ON_FORK, "no child process inherits it"
    assert os.sched_getscheduler(0) == before


def message(kind: int, body: bytes, reply_to: int) -> bytes:
    fields = struct.pack("<BB2sI", 6, 1, b"s\0", 4) + b":1.7\0" + bytes(3)
    fields += struct.pack("<BB2sI", 5, 1, b"u\0", reply_to)
    return struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), 9, len(fields)) + fields + body


def string(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode() + b"\0"


def grant(connection: socket.socket, call: bytes) -> None:
    connection.sendall(message(4, string("a signal meanwhile"), 77))
    connection.sendall(message(2, b"", struct.unpack_from("<I", call, 8)[0]))


def refuse(connection: socket.socket, call: bytes) -> None:
    connection.sendall(
        message(3, string("Operation not permitted"), struct.unpack_from("<I", call, 8)[0])
    )


class Bus:
    """A system bus with rtkit on it."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self.calls: list[bytes] = []
        self._answer = answer
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / "bus"))
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection, self._listening:
            said = b""
            while not said.endswith(b"\r\n"):
                said += connection.recv(100)
            assert said == f"\0AUTH EXTERNAL {str(os.getuid()).encode().hex()}\r\n".encode()
            connection.sendall(b"OK 1234deadbeef\r\n")
            assert connection.recv(7) == b"BEGIN\r\n"
            for answer in (grant, self._answer):
                call = connection.recv(4096)
                self.calls.append(call)
                answer(connection, call)
            connection.recv(1)

    def join(self) -> None:
        self._thread.join()


@pytest.fixture(autouse=True)
def limits() -> Generator[None]:
    """Give the test process back its limit of run time."""
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    before = resource.getrlimit(resource.RLIMIT_RTTIME)
    yield
    resource.setrlimit(resource.RLIMIT_RTTIME, before)


def bus(folder: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Bus:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={folder}/bus")
    return Bus(folder, answer)


def test_rtkit_is_asked_for_this_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    there = bus(tmp_path, grant, monkeypatch)
    rtkit.make_realtime(4711, 20)
    there.join()
    assert b"MakeThreadRealtime\0" in there.calls[1]
    assert struct.unpack("<QI", there.calls[1][-12:]) == (4711, 20)
    assert resource.getrlimit(resource.RLIMIT_RTTIME)[0] == 200_000, "rtkit wants that"


def hang_up(connection: socket.socket, _call: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def talk_without_end(connection: socket.socket, _call: bytes) -> None:
    connection.sendall(struct.pack("<cBBBIII", b"l", 2, 0, 1, 2**31, 9, 8))


def say_nothing(_connection: socket.socket, _call: bytes) -> None:
    pass


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (refuse, "rtkit says no: Operation not permitted"),
        (hang_up, "the bus has hung up"),
        (talk_without_end, "the bus talks too much"),
        (say_nothing, "timed out"),
    ],
)
def test_a_no_is_an_error_with_its_reason(
    answer: Answer, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = bus(tmp_path, answer, monkeypatch)
    with pytest.raises(OSError, match=complaint):
        rtkit.make_realtime(4711, 20)
    there.join()


@pytest.mark.parametrize("address", ["unix:path=/no/such/bus", "tcp:host=localhost,port=1"])
def test_without_a_bus_there_is_no_rtkit(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    with pytest.raises(OSError, match=r"No such file|out of reach"):
        rtkit.make_realtime(4711, 20)
