"""Whoever enters what cannot be is told so in one line, with what to do, and loses nothing."""

import asyncio
from pathlib import Path

import pytest
from pyotp.totp import TOTP

from desktop.tests.stage import PASSWORD, PATIENCE_MS, Stage, Window
from sidetone.client.client import Client
from sidetone.protocol.accounts import Proof

TOO_MUCH = "x" * 10_000


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
        await window.type("sign-in-address", entered)
        await window.type("sign-in-name", "bolt", enter=True)
        await window.hears("sign-in-problem", told)
    await window.type("sign-in-address", address)
    await window.type("sign-in-password", PASSWORD, enter=True)
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
        await window.type("invite", entered, enter=True)
        await window.hears("join-problem", told)
    await window.click("dialog-cancel")
    await window.click("rail-add")
    await window.click("add-code")
    await window.type("server-name", "", enter=True)
    await window.hears("found-problem", "Enter the code of a template")
    await window.type("template-code", "nothing")
    await window.type("server-name", "", enter=True)
    await window.hears("found-problem", "at least one character")
    await window.type("server-name", "Night Shift", enter=True)
    await window.hears("found-problem", "no such template")
    await window.click("dialog-cancel")


async def _write_and_attach(window: Window, folder: Path) -> None:
    await window.click("server-Apex Squad")
    await window.type("composer", TOO_MUCH, enter=True)
    await window.hears("notice", "6000 characters too long")
    field = (await window.sees("composer")).locator("textarea").first
    assert await field.input_value() == TOO_MUCH
    await window.type("composer", "hello", enter=True)
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
    await window.sign_in("bolt")
    await window.sees("sign-in-code")
    for entered, told in (("", "log in with its code"), ("000000", "take the next one")):
        await window.type("sign-in-code", entered, enter=True)
        await window.hears("sign-in-problem", told)
