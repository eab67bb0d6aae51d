"""Names, colours and pictures that cannot be: what a server's page says of each, and keeps."""

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from desktop.tests.stage import PATIENCE_MS, Stage, Window
from sidetone.protocol.ids import ChannelId
from tests.waiting import until

_NAME_LENGTH_MAX = 100
_NICKNAME_LENGTH_MAX = 32
_EMOJI_LENGTH_MAX = 32


@pytest.mark.timeout(300)
async def test_wrong_names_colours_and_pictures_are_answered_where_they_stand(
    stage: Stage,
) -> None:
    bolt = await stage.client("bolt")
    home = await bolt.api.servers.create("Apex Squad")
    texts = [each for each in await bolt.api.channels.of(home.id) if each.kind == "text"]
    said = await bolt.api.messages.send(ChannelId(texts[0].id), "foxes wait by the gate")
    window = await stage.window("bolt")
    await window.sign_in("bolt")
    await window.click("server-Apex Squad")
    await _nickname(window)
    await _thread(window, f"message-{said.id}")
    await window.click("server-menu")
    await window.click("server-settings")
    await _role(window)
    await _emoji(window, stage.folder)
    assert not window.process.unhappy()


async def _kept(window: Window, identifier: str) -> str:
    return await (await window.sees(identifier)).locator("input, textarea").first.input_value()


async def _write_too_much(window: Window, identifier: str, length_max: int) -> None:
    """Enter twice as much as there is room for: the field takes all, and says what is too much."""
    await window.type(identifier, "x" * (2 * length_max))
    field = (await window.sees(identifier)).locator("input").first

    async def told() -> bool:
        said = await field.get_attribute("aria-description")
        return said == f"This is {length_max} characters too long; shorten it."

    await until(told)


async def _nickname(window: Window) -> None:
    await _open_nickname(window)
    await _write_too_much(window, "nickname", _NICKNAME_LENGTH_MAX)
    await window.press("Enter")
    await window.hears("nickname-problem", "A nickname has at most 32 characters")
    assert await _kept(window, "nickname") == "x" * (2 * _NICKNAME_LENGTH_MAX)
    await window.type("nickname", "b\u202eolt", enter=True)
    await window.hears("nickname-problem", "only characters that can be seen")
    assert await _kept(window, "nickname") == "b\u202eolt"
    await window.type("nickname", "Thunder", enter=True)
    await window.misses("nickname-dialog")
    await window.sees("member-Thunder")
    # Nothing but spaces: the own name.
    await _open_nickname(window)
    await window.type("nickname", "   ", enter=True)
    await window.misses("nickname-dialog")
    await window.sees("member-bolt")


async def _open_nickname(window: Window) -> None:
    await window.click("server-menu")
    await window.click("server-nickname")


async def _thread(window: Window, message: str) -> None:
    await window.click(message, button="right")
    await window.click("menu-thread")
    await _write_too_much(window, "question-field", _NAME_LENGTH_MAX)
    await window.press("Enter")
    await window.hears("question-problem", "A name has at most 100 characters")
    assert await _kept(window, "question-field") == "x" * (2 * _NAME_LENGTH_MAX)
    await window.type("question-field", "foxes", enter=True)
    await window.misses("question")
    await window.sees("thread-composer")


async def _role(window: Window) -> None:
    await window.click("section-roles")
    await window.click("role-create")
    await window.sees("role-color")
    await window.type("role-name", "")
    await window.click("role-save")
    await window.hears("role-problem", "at least one character")
    assert await _kept(window, "role-name") == ""
    await _write_too_much(window, "role-name", _NAME_LENGTH_MAX)
    await window.click("role-save")
    await window.hears("role-problem", "A name has at most 100 characters")
    await window.type("role-name", "x" * _NAME_LENGTH_MAX)
    for typed in ("green", "#12345", "#1234567"):
        await window.type("role-color", typed)
        await window.click("role-save")
        await window.hears("role-problem", "Write a colour as #RRGGBB")
        assert await _kept(window, "role-color") == typed
        assert await _kept(window, "role-name") == "x" * _NAME_LENGTH_MAX
    await window.type("role-color", "35d07f")
    await window.click("role-save")
    await window.misses("role-problem")
    await window.sees("role-" + "x" * _NAME_LENGTH_MAX)


async def _emoji(window: Window, folder: Path) -> None:
    picture, notes = folder / "fox.png", folder / "notes.txt"
    fake, empty, letter = folder / "fake.png", folder / "empty.png", folder / "f.png"

    def make() -> None:
        Image.new("RGB", (64, 64), "#FF8F6B").save(picture)
        letter.write_bytes(picture.read_bytes())
        notes.write_text("no picture")
        fake.write_text("no picture either")
        empty.touch()

    await asyncio.to_thread(make)
    await window.click("section-emoji")
    for typed in ("f", "old fox", "füchse"):
        # Before a picture is chosen for it.
        await window.type("emoji-name", typed)
        await window.click("emoji-upload")
        await window.hears("emoji-problem", "2 to 32 letters")
        assert await _kept(window, "emoji-name") == typed
    await _write_too_much(window, "emoji-name", _EMOJI_LENGTH_MAX)
    await window.click("emoji-upload")
    await window.hears("emoji-problem", "2 to 32 letters")
    await window.type("emoji-name", "fox")
    for file, told in (
        (notes, "This is no picture; choose one of these: png"),
        (empty, "This file is empty; choose another one"),
        (fake, "PNG, JPEG, WebP or GIF"),
    ):
        await _choose(window, file)
        await window.hears("emoji-problem", told)
        assert await _kept(window, "emoji-name") == "fox"
    await window.type("emoji-name", "")
    await _choose(window, letter)
    await window.hears("emoji-problem", "2 to 32 letters")
    await _choose(window, picture)
    await window.sees("emoji-fox")
    await window.misses("emoji-problem")
    await _choose(window, picture)
    await window.hears("emoji-problem", "There is an emoji of this name; choose another")
    await window.type("emoji-name", "vixen")
    await _choose(window, picture)
    await window.sees("emoji-vixen")
    for typed, told in (("", "2 to 32 letters"), ("fox", "an emoji of this name")):
        await window.type("emoji-rename-vixen", typed, enter=True)
        await window.hears("emoji-problem-vixen", told)
        assert await _kept(window, "emoji-rename-vixen") == typed


async def _choose(window: Window, file: Path) -> None:
    async with window.page.expect_file_chooser(timeout=PATIENCE_MS) as choosing:
        await window.click("emoji-upload")
    await (await choosing.value).set_files(file)
