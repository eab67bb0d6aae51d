"""The chapters of the call: real voices, real keys, and a screen that is shown."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

from desktop.tests.stage import Window, load
from sidetone.audio.devices import FileMicrophone
from sidetone.client.call import Call
from sidetone.video.capture import TestCard
from sidetone.video.quality import QUALITIES
from tests.screenshots.tour import Tour, enter_server
from tests.screenshots.town import HERO

_SPEECH = Path(__file__).parents[2] / "services/all_in_one/sidetone/all_in_one/demo/speech"
_ROOM = "Ranked 5v5"
_OVERLAY = (260, 200)
# The first call on a machine compiles.
_WARM_MS = 180_000


@asynccontextmanager
async def _talking(tour: Tour) -> AsyncGenerator[list[Call]]:
    """Let three be in the call, two of whom speak."""
    room = tour.town.channels[_ROOM]
    async with AsyncExitStack() as stack:
        calls: list[Call] = []
        for name, speech in (("astra", "ada.wav"), ("bolt", "ben.wav"), ("halcyon", None)):
            microphone = FileMicrophone(_SPEECH / speech, loop=True) if speech else None
            person = tour.town.people[name]
            calls.append(
                await stack.enter_async_context(person.join_voice(room, microphone=microphone))
            )
        calls[2].set_muted(True)
        yield calls


async def call(tour: Tour) -> None:
    """Be in a call, and open everything that it has."""
    window, camera = tour.window, tour.camera
    await enter_server(tour)
    async with _talking(tour) as calls:
        await window.click(f"voice-{_ROOM}")
        await window.find("voice-code").wait_for(state="attached", timeout=_WARM_MS)
        await window.sees("talker-Halcyon")
        # Each language has a client of its own, so that the hero comes with another key.
        for each in calls:
            each.confirm(tour.town.user(HERO))
        await window.find_all("speaking-").first.wait_for(state="attached")
        await camera.take("call", main=True, contrast=True)
        await _sheets(tour)
        await _shown(tour, calls[0])
        calls[0].ask_to_record()
        await window.sees("consent")
        await camera.take("consent")
        await window.click("consent-no")
        await window.misses("consent")
        await _overlay(tour)
        await window.click("voice-leave")
        await window.misses("voice-leave")


async def _sheets(tour: Tour) -> None:
    window = tour.window
    await window.click("voice-code")
    await window.sees("call-code")
    await tour.camera.take("call-code")
    await window.click("code-person-Astra")
    await window.sees("safety-number")
    await tour.camera.take("safety-number")
    await window.click("safety-close")
    await window.sees("call-code")
    await tour.close()
    await window.misses("call-code")
    await window.click("voice-state")
    await tour.closing("call-numbers", "call-numbers")
    await window.click("talker-Astra")
    await tour.closing("talker-volume-slider", "talker-volume")
    await tour.menu("talker-Astra", "talker-volume", "talker-menu")
    await window.click("voice-soundboard")
    await tour.closing("soundboard-add", "soundboard")
    await window.click("voice-record")
    await window.type("record-folder", "~/Recordings")
    await tour.closing("record-ask", "record")
    await window.click("voice-share")
    await tour.closing("share-quality", "share-screen")


async def _shown(tour: Tour, astra: Call) -> None:
    window = tour.window
    share = await astra.share_screen(TestCard(moves=False), QUALITIES["720p15"])
    await window.sees("screen-of-Astra")
    await tour.camera.take("screen-offered")
    await window.click("screen-of-Astra")
    await window.sees("watched-screen")
    await tour.camera.take("screen-watched")
    await share.stop()
    await window.misses("watched-screen")
    await window.click("channel-general")
    await window.sees("composer")


async def _overlay(tour: Tour) -> None:
    page = await tour.window.page.context.new_page()
    await load(page, urljoin(tour.window.page.url, "/overlay"))
    await page.bring_to_front()
    overlay = Window(page, tour.window.process, tour.window.folder)
    await overlay.sees("overlay-Astra")
    await tour.camera.on(overlay, _OVERLAY).take("overlay")
    await page.close()
    await tour.window.page.bring_to_front()
