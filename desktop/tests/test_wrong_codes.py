"""Codes and words that cannot be, on the way of a key to another device: what is said of each."""

import pytest

from desktop.tests.stage import Stage, Window
from sidetone.client.client import Client
from tests.waiting import until


@pytest.mark.timeout(240)
async def test_wrong_codes_and_phrases_are_answered_where_they_stand(stage: Stage) -> None:
    other = await stage.client("bolt")
    window = await stage.window("bolt", size=(1280, 1400))
    await window.sign_in("bolt")
    await window.click("open-settings")
    await window.click("settings-devices")
    await _codes(window, other)
    await _phrases(window, other)
    assert not window.process.unhappy()


async def _codes(window: Window, other: Client) -> None:
    await _refused(window, "AAAA-BBBB-CCCC-DDDD", "No device of yours waits; show a new code")
    for code in ("", "let me in!", "AAAA-BBBB", "１２３４"):
        await _refused(window, code, "A code has 16 letters and digits (A-Z, 2-7); copy all of it")
    waiting = other.linking
    old, new = await waiting.ask(), await waiting.ask()
    await _refused(window, old, "No device of yours shows this code now; compare it")
    await window.type("link-code", new.lower().replace("-", " "), enter=True)
    await window.hears("notice", "The other device has your key now")
    await window.misses("link-problem")
    await waiting.linked()


async def _refused(window: Window, code: str, told: str) -> None:
    await window.type("link-code", code, enter=True)
    await window.hears("link-problem", told)
    assert await _kept(window, "link-code") == code


async def _phrases(window: Window, other: Client) -> None:
    phrase = other.linking.phrase()
    words = phrase.split()
    unknown = " ".join([*words[:2], "foxtail", *words[3:]])
    for wrong, told in (
        ("", "The phrase has 24 words, here are 0; compare with the paper"),
        (" ".join(words[:23]), "The phrase has 24 words, here are 23; compare with the paper"),
        (f"{phrase} {words[0]}", "The phrase has 24 words, here are 25; compare with the paper"),
        (unknown, "Word 3 is in no phrase; compare with the paper"),
        # All of them are words, and no phrase ends like this.
        ("abandon " * 23 + "zoo", "they stand in another order; compare with the paper"),
    ):
        await window.type("phrase-words", wrong)
        await window.click("phrase-restore")
        await window.hears("phrase-problem", told)
        assert await _kept(window, "phrase-words") == wrong
    await window.type("phrase-words", phrase.upper())
    await window.click("phrase-restore")
    await window.hears("notice", "Your key is back on this device")
    await window.misses("phrase-problem")

    async def emptied() -> bool:
        return await _kept(window, "phrase-words") == ""

    await until(emptied)


async def _kept(window: Window, identifier: str) -> str:
    return await (await window.sees(identifier)).locator("input, textarea").first.input_value()
