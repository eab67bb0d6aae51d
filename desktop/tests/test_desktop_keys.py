"""Keys that an X server really delivers, pressed by xdotool through XTEST."""

import asyncio
import logging
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from desktop.tests.displays import virtual_display
from sidetone.desktop.application.listen_to_keys import ListenToKeys
from sidetone.desktop.domain.hotkeys import Talk, Toggle, chord_of
from sidetone.desktop.infrastructure.hotkeys import DesktopKeys
from sidetone.protocol.refusals import Unavailable


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with virtual_display() as name:
        yield name
        # A thread that listened ends with the next key or click that it hears.
        listeners = [t for t in threading.enumerate() if type(t).__module__.startswith("pynput")]
        subprocess.run(["xdotool", "key", "a", "click", "3"], env={"DISPLAY": name}, check=True)
        for listener in listeners:
            threading.Thread.join(listener, 10)


@pytest.fixture
def on_display(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)


class Stage:
    """A user at the keyboard, and what happens."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self.done: asyncio.Queue[Talk | Toggle] = asyncio.Queue()

    async def does(self, *steps: str) -> None:
        await asyncio.to_thread(
            subprocess.run, ["xdotool", *steps], check=True, timeout=20, capture_output=True
        )


@pytest.fixture
async def stage(on_display: None) -> AsyncIterator[tuple[Stage, ListenToKeys]]:
    stage = Stage()
    keys = ListenToKeys(DesktopKeys(), stage.done.put_nowait)
    yield stage, keys
    await keys.close()


@pytest.mark.usefixtures("on_display")
async def test_a_key_is_released_under_the_name_under_which_it_was_pressed() -> None:
    stage, source, loop = Stage(), DesktopKeys(), asyncio.get_running_loop()
    source.start(
        lambda key, pressed: loop.call_soon_threadsafe(stage.heard.put_nowait, (key, pressed))
    )
    await stage.does("keydown", "shift", "keydown", "1", "keyup", "shift", "keyup", "1")
    await stage.does("key", "plus")
    await stage.does("click", "1", "click", "8", "key", "F5")
    heard: list[tuple[str, bool]] = []
    while ("f5", False) not in heard:
        heard.append(await stage.heard.get())
    source.stop()
    source.stop()
    assert heard[:4] == [("shift", True), ("1", True), ("shift", False), ("1", False)]
    assert ("mouse4", True) in heard
    assert ("mouse4", False) in heard
    assert not any(name == "mouse1" for name, _ in heard)
    pressed = [name for name, down in heard if down]
    assert sorted(pressed) == sorted(name for name, down in heard if not down)


async def test_one_talks_while_the_key_is_held(stage: tuple[Stage, ListenToKeys]) -> None:
    user, keys = stage
    await keys.bind({"push_to_talk": chord_of("v"), "mute": chord_of("ctrl+m")})
    assert keys.problem == ""
    await user.does("keydown", "v")
    assert await user.done.get() == Talk(pushed=True)
    await user.does("key", "w")
    await user.does("keyup", "v")
    assert await user.done.get() == Talk(pushed=False)
    await user.does("key", "ctrl+m")
    assert await user.done.get() == Toggle("mute")
    assert user.done.empty()


async def test_a_mouse_button_lets_one_talk(stage: tuple[Stage, ListenToKeys]) -> None:
    user, keys = stage
    await keys.bind({"push_to_talk": chord_of("mouse5")})
    await user.does("mousedown", "9")
    assert await user.done.get() == Talk(pushed=True)
    await user.does("mouseup", "9")
    assert await user.done.get() == Talk(pushed=False)


async def test_a_new_chord_is_learnt(stage: tuple[Stage, ListenToKeys]) -> None:
    user, keys = stage
    await keys.bind({"mute": chord_of("ctrl+m")})
    answer = asyncio.create_task(keys.capture())
    await asyncio.sleep(0)
    await user.does("key", "ctrl+m")
    assert await answer == chord_of("ctrl+m")
    assert user.done.empty()
    given_up = asyncio.create_task(keys.capture())
    await asyncio.sleep(0)
    await user.does("key", "Escape")
    assert await given_up is None


async def test_who_asks_listens_only_as_long(stage: tuple[Stage, ListenToKeys]) -> None:
    user, keys = stage
    asked = asyncio.create_task(keys.capture())
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await user.does("key", "ctrl+m")
    await keys.bind({"mute": chord_of("ctrl+m")})
    await user.does("key", "ctrl+m")
    assert await user.done.get() == Toggle("mute")
    await keys.bind({})
    await user.does("key", "ctrl+m")
    assert user.done.empty()


async def test_no_key_is_logged(
    stage: tuple[Stage, ListenToKeys], caplog: pytest.LogCaptureFixture
) -> None:
    user, keys = stage
    with caplog.at_level(logging.DEBUG):
        await keys.bind({"push_to_talk": chord_of("z")})
        await user.does("key", "Q", "key", "z")
        assert await user.done.get() == Talk(pushed=True)
        assert await user.done.get() == Talk(pushed=False)
    said = " ".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    assert said == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("WAYLAND_DISPLAY", "wayland-0", "Wayland"), ("DISPLAY", "", "no display")],
)
@pytest.mark.usefixtures("on_display")
async def test_where_keys_cannot_be_heard_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable, match=said):
        DesktopKeys().start(lambda _key, _pressed: None)
    keys = ListenToKeys(DesktopKeys(), lambda _: None)
    await keys.bind({"mute": chord_of("ctrl+m")})
    assert said in keys.problem
    assert await keys.capture() is None
    await keys.close()
