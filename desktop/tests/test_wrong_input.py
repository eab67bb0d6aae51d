"""Whoever enters what cannot be is told so in one line, with what to do, and loses nothing."""

import asyncio
from itertools import count
from pathlib import Path

import pytest
from playwright.async_api import Locator
from pyotp.totp import TOTP

from desktop.tests.stage import PASSWORD, PATIENCE_MS, Stage, Window
from sidetone.client.client import Client
from sidetone.protocol.accounts import Proof

TOO_MUCH = "x" * 10_000


async def write(window: Window, identifier: str, text: str, *, enter: bool = True) -> None:
    """Put *text* in the place of what stands in a field, which may be nothing.

    The page follows the focus a moment later, and then puts back what it knew: what was written is
    there when it stays. A click where the focus is already would begin that anew; only a field
    that had the focus before the page knew of it is given it again.
    """
    field = (await window.sees(identifier)).locator("input, textarea").first
    async with asyncio.timeout(PATIENCE_MS / 1000):
        for attempt in count(1):
            if not await field.evaluate("field => field === document.activeElement"):
                await field.click()
            await window.press("Control+A")
            await window.press("Backspace")
            await window.page.keyboard.insert_text(text)
            if await _stays(window, field, text):
                break
            if attempt % 4 == 0:
                await field.blur()
    if enter:
        await window.press("Enter")


async def _stays(window: Window, field: Locator, text: str) -> bool:
    for _ in range(6):
        await window.page.wait_for_timeout(50)
        if await field.input_value() != text:
            return False
    return True


@pytest.mark.timeout(240)
async def test_wrong_input_is_answered_with_what_to_do(stage: Stage) -> None:
    bolt = await stage.client("bolt")
    await bolt.api.servers.create("Apex Squad")
    window = await stage.window("bolt")
    await _sign_in(window, stage.address)
    await _add_servers(window)
    await _write_and_attach(window, stage.folder)
    await _second_factor(window, bolt)
    assert not window.process.unhappy()


async def _sign_in(window: Window, address: str) -> None:
    for entered, told in (
        ("", "Enter the address of a server"),
        ("play.example", "must begin with sidetone://"),
        ("sidetone://play.example:99999#x", "host or port cannot be read"),
        (address + "x", "copy the whole address"),
    ):
        await write(window, "sign-in-address", entered, enter=False)
        await write(window, "sign-in-name", "bolt")
        await window.hears("sign-in-problem", told)
    await write(window, "sign-in-address", address, enter=False)
    await write(window, "sign-in-password", PASSWORD)
    await window.misses("sign-in-submit")


async def _add_servers(window: Window) -> None:
    await window.click("rail-add")
    await window.click("add-join")
    for entered, told in (
        ("", "a code of 16 letters and digits"),
        ("come in!", "a code of 16 letters and digits"),
        ("aaaaaaaaaaaaaaaa", "ask for a new one"),
        ("http://play.example/invite/aaaaaaaaaaaaaaaa", "another server machine"),
    ):
        await write(window, "invite", entered)
        await window.hears("join-problem", told)
    await window.click("dialog-cancel")
    await window.click("rail-add")
    await window.click("add-code")
    await write(window, "server-name", "")
    await window.hears("found-problem", "Enter the code of a template")
    await write(window, "template-code", "nothing", enter=False)
    await write(window, "server-name", "")
    await window.hears("found-problem", "at least one character")
    await write(window, "server-name", "Night Shift")
    await window.hears("found-problem", "no such template")
    await window.click("dialog-cancel")


async def _write_and_attach(window: Window, folder: Path) -> None:
    await window.click("server-Apex Squad")
    # The page follows the focus a moment later: it has the text when it says what is too much.
    too_much = window.page.get_by_label("-6000").first
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not await too_much.count():
            await write(window, "composer", TOO_MUCH, enter=False)
            await window.page.wait_for_timeout(500)
    await window.press("Enter")
    await window.hears("notice", "6000 characters too long")
    field = (await window.sees("composer")).locator("textarea").first
    assert await field.input_value() == TOO_MUCH
    await write(window, "composer", "hello")
    await window.find_all("message-").first.wait_for(state="attached", timeout=PATIENCE_MS)
    empty = folder / "empty.txt"
    await asyncio.to_thread(empty.write_bytes, b"")
    async with window.page.expect_file_chooser(timeout=PATIENCE_MS) as choosing:
        await window.click("attach")
    await (await choosing.value).set_files(empty)
    await window.hears("upload-refused-empty.txt", "This file is empty")


async def _second_factor(window: Window, bolt: Client) -> None:
    secret = (await bolt.api.accounts.begin_totp(Proof(password=PASSWORD))).secret
    await bolt.api.accounts.confirm_totp(TOTP(secret).now())
    await window.click("rail-home")
    await window.click("account-menu")
    await window.click("account-sign-out")
    await window.click("confirm-yes")
    await write(window, "sign-in-name", "bolt", enter=False)
    await write(window, "sign-in-password", PASSWORD)
    await window.sees("sign-in-code")
    for entered, told in (("", "log in with its code"), ("000000", "take the next one")):
        await write(window, "sign-in-code", entered)
        await window.hears("sign-in-problem", told)
