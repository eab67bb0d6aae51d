"""Two people talk: what each window shows of it, and what ends it."""

import asyncio
from pathlib import Path
from urllib.parse import urljoin

import pytest

from desktop.tests.stage import PATIENCE_MS, Stage, Window, load
from sidetone.client.client import Client
from sidetone.desktop.domain.preferences import Keys, Preferences
from sidetone.desktop.infrastructure.preferences_file import PreferencesFile
from sidetone.protocol.ids import ChannelId, ServerId, UserId

_SPEECH = Path(__file__).parents[2] / "services/all_in_one/sidetone/all_in_one/demo/speech"
# The first call on a machine compiles.
_WARM_MS = 180_000
pytestmark = [pytest.mark.long, pytest.mark.timeout(_WARM_MS // 1000 + 240)]


async def test_two_people_talk_in_a_voice_channel(stage: Stage) -> None:
    nova = await stage.client("nova")
    home = await nova.api.servers.create("Apex Squad")
    lounge = next(c for c in await nova.api.channels.of(home.id) if c.kind == "voice")
    bolt, cinder = await _windows(stage, nova, home.id)
    ids = {name: (await nova.api.accounts.user_named(name)).id for name in ("bolt", "cinder")}

    for window in (bolt, cinder):
        await window.click(f"voice-{lounge.name}")
        await window.find("voice-code").wait_for(state="attached", timeout=_WARM_MS)
    await bolt.sees(f"speaking-{ids['cinder']}")
    await cinder.sees(f"speaking-{ids['bolt']}")
    await bolt.sees(f"speaking-{ids['bolt']}")
    await _compare_codes(bolt, cinder)

    # No display lends its keys here, so the window's own mute.
    await bolt.press("F9")
    await cinder.hears("talker-bolt", "muted")
    await cinder.misses(f"speaking-{ids['bolt']}")
    await bolt.click("voice-mute")
    await cinder.sees(f"speaking-{ids['bolt']}")
    await _make_louder(bolt, ids["cinder"])
    await _record(bolt, cinder, ids["bolt"])
    await _look_over(bolt)
    await _share(bolt, cinder)

    await nova.api.voice.disconnect(ChannelId(lounge.id), ids["cinder"])
    await cinder.sees("voice-problem")
    await cinder.misses("voice-leave")
    await bolt.misses("talker-cinder")
    await nova.api.members.remove(home.id, ids["bolt"])
    await bolt.misses("server-Apex Squad")
    await bolt.misses("voice-leave")
    assert not bolt.process.unhappy()
    assert not cinder.process.unhappy()


async def test_a_call_rings_and_is_taken(stage: Stage) -> None:
    nova = await stage.client("nova")
    bolt = await stage.client("bolt")
    await nova.api.people.befriend(bolt.user.id)
    await bolt.api.people.befriend(nova.user.id)
    talk = await nova.api.people.open_conversation(bolt.user.id)
    window = await _window(stage, "bolt", "ben.wav")
    channel = ChannelId(talk.channels[0].id)

    call = await nova.api.voice.call(channel)
    await window.hears("incoming-call", "nova calls")
    await window.click("call-decline")
    await window.misses("call-decline")
    assert call.caller == nova.user.id

    await nova.api.voice.call(channel)
    async with nova.join_voice(channel) as talking:
        await window.click("call-accept")
        await window.find("voice-code").wait_for(state="attached", timeout=_WARM_MS)
        await talking.heard(bolt.user.id)
        await window.click("voice-leave")
        await window.misses("voice-leave")
    assert not window.process.unhappy()


async def _windows(stage: Stage, nova: Client, home: ServerId) -> tuple[Window, Window]:
    invite = await nova.api.servers.invite(home)
    windows: list[Window] = []
    for name, speech in (("bolt", "ada.wav"), ("cinder", "ben.wav")):
        client = await stage.client(name)
        await client.api.servers.accept_invite(invite.code)
        window = await _window(stage, name, speech)
        await window.click("server-Apex Squad")
        windows.append(window)
    bolt, cinder = windows
    return bolt, cinder


async def _window(stage: Stage, name: str, speech: str) -> Window:
    """Open a window of *name*, whose microphone is a file, and whose key to mute is F9."""
    folder = stage.folder / f"window-{name}"
    preferences = Preferences(keys=Keys(bindings={"mute": "f9"}))
    await asyncio.to_thread(PreferencesFile(folder / "preferences.json").save, preferences)
    window = await stage.window(
        name, folder=folder, SIDETONE_MICROPHONE=str(_SPEECH / speech), SIDETONE_SPEAKER="null"
    )
    await window.sign_in(name)
    await window.sees("rail-home")
    return window


async def _compare_codes(bolt: Window, cinder: Window) -> None:
    codes: list[str] = []
    for window in (bolt, cinder):
        await window.click("voice-code")
        codes.append("".join(filter(str.isdigit, await window.said("call-code"))))
    assert codes[0] == codes[1]
    assert len(codes[0]) == 30
    await bolt.click("code-person-cinder")
    await cinder.click("code-person-bolt")
    numbers = [await window.said("safety-number") for window in (bolt, cinder)]
    assert numbers[0] == numbers[1]
    assert sum(map(str.isdigit, numbers[0])) == 60
    await bolt.click("safety-match")
    await bolt.misses("safety-match")
    await _close(bolt, "call-code")
    await cinder.click("safety-close")
    await cinder.misses("safety-close")
    # It stands in the place of the code, not above it: one key leaves both.
    await cinder.click("code-person-bolt")
    await _close(cinder, "safety-number")
    await cinder.sees("voice-code")
    await bolt.hears("talker-cinder", "Verified")


async def _make_louder(bolt: Window, cinder: UserId) -> None:
    await bolt.click("talker-cinder")
    slider = await bolt.sees("talker-volume-slider")
    box = await slider.bounding_box()
    assert box is not None
    await bolt.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not 120 < int((await bolt.said("talker-volume-words")).split()[0]) <= 200:
            await bolt.page.wait_for_timeout(50)
    await _close(bolt, "talker-volume-slider")


async def _record(bolt: Window, cinder: Window, recorder: UserId) -> None:
    """Nothing is recorded before all agree; then all see who records."""
    folder = bolt.folder / "recording"
    await bolt.click("voice-record")
    await bolt.type("record-folder", str(folder))
    await bolt.click("record-ask")
    await cinder.sees("consent")
    await bolt.sees("record-waits")
    await cinder.click("consent-yes")
    await bolt.misses("record-waits")
    await bolt.click("record-start")
    await cinder.hears("recording-line", "bolt records")
    await bolt.click("recording-stop")
    await cinder.misses("recording-line")
    assert (folder / f"{recorder}.opus").stat().st_size > 0


async def _look_over(bolt: Window) -> None:
    """The small window says who is there and who speaks, in the browser that is let in."""
    beside = await bolt.page.context.new_page()
    await load(beside, urljoin(bolt.page.url, "/overlay"))
    # A browser draws the page in front; the other one only now and then.
    await beside.bring_to_front()
    overlay = Window(beside, bolt.process, bolt.folder)
    await overlay.sees("overlay-bolt")
    await overlay.sees("overlay-cinder")
    await overlay.find_all("speaking-").first.wait_for(state="attached", timeout=PATIENCE_MS)
    await bolt.page.bring_to_front()


async def _share(bolt: Window, cinder: Window) -> None:
    """What one shows is offered to the other, who sees it; here it is the test picture."""
    await bolt.click("voice-share")
    await bolt.click("share-0")
    await cinder.click("screen-of-bolt")
    await cinder.sees("watched-screen")
    await bolt.click("voice-share")
    await cinder.misses("watched-screen")


async def _close(window: Window, identifier: str) -> None:
    await window.sees(identifier)
    await window.press("Escape")
    await window.misses(identifier)
