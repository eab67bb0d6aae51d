"""The whole story in two windows: from a new account to a talk, and to its end.

Everything is clicked and typed; only what the server knows is asked of the SDK beside it.
"""

from pathlib import Path

import pytest

from desktop.tests.stage import Stage, Window

_SPEECH = Path(__file__).parents[2] / "services/all_in_one/sidetone/all_in_one/demo/speech"
# The first call on a machine compiles.
_WARM_MS = 180_000


@pytest.mark.alone
@pytest.mark.timeout(_WARM_MS // 1000 + 300)
async def test_from_a_new_account_to_a_talk_and_its_end(stage: Stage) -> None:
    nova = await _window(stage, "nova", "ada.wav", stage.address)
    link = await _found_and_invite(nova)

    bolt = await _window(stage, "bolt", "ben.wav", link)
    await bolt.click("server-join")
    await bolt.sees("invite-preview")
    await bolt.click("server-join")
    await bolt.sees("channel-general")
    await nova.sees("member-bolt")

    await _write_react_search(nova, bolt)
    await _talk(nova, bolt)

    await nova.click("member-bolt", button="right")
    await nova.click("member-kick")
    await nova.click("kick-yes")
    await nova.misses("talker-bolt")
    await bolt.misses("server-Apex Squad")
    await bolt.misses("voice-leave")
    for window in (nova, bolt):
        assert await window.nameless() == []
        assert not window.process.unhappy()


async def _window(stage: Stage, name: str, speech: str, link: str) -> Window:
    """Open a window whose microphone is a file, and register in it."""
    window = await stage.window(
        name, link=link, SIDETONE_MICROPHONE=str(_SPEECH / speech), SIDETONE_SPEAKER="null"
    )
    await window.register(name)
    return window


async def _found_and_invite(nova: Window) -> str:
    await nova.click("welcome-found")
    await nova.type("server-name", "Apex Squad", enter=True)
    await nova.sees("channel-general")
    await nova.click("server-menu")
    await nova.click("server-invite")
    await nova.click("invite-make")
    link = await nova.said("invite-link")
    await nova.press("Escape")
    await nova.misses("invite-link")
    assert "/invite/" in link
    return link


async def _write_react_search(nova: Window, bolt: Window) -> None:
    # That bolt has joined is a message as well.
    before = set(await bolt.identifiers("message-"))
    await nova.type("composer", "the old fox waits by the gate", enter=True)
    (said,) = await bolt.waits_for_more("message-", before)
    await bolt.hover(said)
    await bolt.click("tool-quick-reaction")
    await nova.find_all("reaction-").first.wait_for(state="attached")
    await nova.click("panel-search")
    await nova.type("search-field", "fox", enter=True)
    await nova.hears("found-count", "1")
    await nova.press("Escape")
    await nova.misses("search-field")


async def _talk(nova: Window, bolt: Window) -> None:
    """Both are in the call, see each other speak, and hold the same keys."""
    for window in (nova, bolt):
        await window.click("voice-Lounge")
        await window.find("voice-code").wait_for(state="attached", timeout=_WARM_MS)
    for window, other in ((nova, "bolt"), (bolt, "nova")):
        await window.sees(f"talker-{other}")
        await window.find_all("speaking-").first.wait_for(state="attached")
    codes: list[str] = []
    for window in (nova, bolt):
        await window.click("voice-code")
        codes.append("".join(filter(str.isdigit, await window.said("call-code"))))
        await window.press("Escape")
        await window.misses("call-code")
    assert codes[0] == codes[1]
    assert len(codes[0]) == 30
