"""Real notices, over a bus of the test's own, to a server that keeps what it is asked to show."""

import asyncio
import logging
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from dbus_fast import Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method, signal

from sidetone.desktop.domain.notifying import Notice
from sidetone.desktop.domain.place import Place
from sidetone.desktop.infrastructure.system_notices import SHOWN_MAX, SystemNotices

# The signatures of D-Bus stand where types do.
# ruff: noqa: ARG002, F722, F821, N802, PLR0913, PLR0917


class Server(ServiceInterface):
    """org.freedesktop.Notifications, as a desktop has it."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.shown: dict[int, tuple[str, str, list[str], dict[str, Variant]]] = {}
        self.last = 0

    @method()
    def GetServerInformation(self) -> "ssss":
        return ["Test", "Sidetone", "1", "1.2"]

    @method()
    def GetCapabilities(self) -> "as":
        return ["actions", "body", "sound"]

    @method()
    def Notify(
        self, app: "s", replaces: "u", icon: "s", title: "s", body: "s", actions: "as",
        hints: "a{sv}", timeout: "i",
    ) -> "u":  # fmt: skip
        self.last += 1
        self.shown[self.last] = (title, body, actions, hints)
        return self.last

    @method()
    def CloseNotification(self, number: "u") -> None:
        self.shown.pop(number, None)
        self.NotificationClosed(number, 3)

    @signal()
    def NotificationClosed(self, number: "u", reason: "u") -> "uu":
        return [number, reason]

    @signal()
    def ActionInvoked(self, number: "u", action: "s") -> "us":
        return [number, action]

    def texts(self) -> list[tuple[str, str]]:
        return [(title, body) for title, body, *_ in self.shown.values()]


@pytest.fixture(scope="module")
def bus() -> Iterator[str]:
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        pytest.skip("dbus-daemon is not installed")
    command = [daemon, "--session", "--nofork", "--print-address"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
async def server(bus: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    connection = await MessageBus(bus_address=bus).connect()
    server = Server()
    connection.export("/org/freedesktop/Notifications", server)
    await connection.request_name("org.freedesktop.Notifications")
    yield server
    connection.disconnect()
    await connection.wait_for_disconnect()


@pytest.fixture
async def notices(server: Server) -> AsyncIterator[tuple[SystemNotices, asyncio.Queue[Place]]]:
    opened: asyncio.Queue[Place] = asyncio.Queue()
    notices = SystemNotices(opened.put_nowait)
    yield notices, opened
    inner: Any = notices._notifier._backend
    inner.bus.disconnect()
    await inner.bus.wait_for_disconnect()


def notice(
    group: str, text: str = "hello", *, urgent: bool = False, sounds: bool = True
) -> Notice:
    return Notice("Ada", text, Place("friends"), group, sounds=sounds, urgent=urgent)


Notices = tuple[SystemNotices, asyncio.Queue[Place]]


async def test_a_click_leads_to_its_place(server: Server, notices: Notices) -> None:
    shows, opened = notices
    await shows.show(notice("a"))
    assert server.texts() == [("Ada", "hello")]
    server.ActionInvoked(server.last, "default")
    assert await opened.get() == Place("friends")
    await shows.take_back("a")


async def test_a_group_has_one_notice_and_is_taken_back(server: Server, notices: Notices) -> None:
    shows, _ = notices
    await shows.show(notice("a", "one"))
    await shows.show(notice("b", "two"))
    await shows.show(notice("a", "three"))
    assert [text for _, text in server.texts()] == ["two", "three"]
    await shows.take_back("a")
    await shows.take_back("a")
    assert [text for _, text in server.texts()] == ["two"]


async def test_few_are_seen_at_once(server: Server, notices: Notices) -> None:
    shows, _ = notices
    for number in range(SHOWN_MAX + 5):
        await shows.show(notice(f"group {number}", str(number)))
    assert [text for _, text in server.texts()] == [str(n) for n in range(5, SHOWN_MAX + 5)]


async def test_a_call_is_urgent_and_sounds_are_wished(server: Server, notices: Notices) -> None:
    shows, _ = notices
    await shows.show(notice("a", urgent=True, sounds=False))
    await shows.show(notice("b"))
    call, message = (hints for *_, hints in server.shown.values())
    assert call["urgency"].value == 2
    assert "sound-name" not in call
    assert message["urgency"].value == 1
    assert "sound-name" in message


async def test_no_text_is_logged(
    server: Server, notices: Notices, caplog: pytest.LogCaptureFixture
) -> None:
    shows, _ = notices
    with caplog.at_level(logging.DEBUG):
        await shows.show(notice("a", "the canary sings"))
    assert server.texts()
    assert "canary" not in caplog.text


async def test_without_a_desktop_nothing_is_shown_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    shows = SystemNotices(lambda _: None)
    await shows.show(notice("a"))
    await shows.take_back("a")
