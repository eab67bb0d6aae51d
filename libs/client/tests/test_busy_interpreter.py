"""A call beside threads of Python that hardly ever let go of the interpreter."""

import asyncio
import time

from libs.client.tests.stage import Home, in_step, tone
from sidetone.client.call import Call

HOG_SECONDS = 1.5
# A busy machine may spoil a round; without kernels a round brings hardly any frames at all.
ROUNDS = 8


def hog() -> None:
    """Keep the interpreter lock, but for a moment a few times a second."""
    until = time.monotonic() + HOG_SECONDS
    while time.monotonic() < until:
        sum(range(10_000_000))


def counts(call: Call) -> tuple[int, int]:
    """Return how many frames of its only peer a call has received, and how many it made up."""
    (speaker,) = call.stats().engine.speakers.values()
    return speaker.received, speaker.concealed + speaker.fec_recovered


async def test_no_frame_is_made_up_while_python_hogs_the_interpreter(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            await call_a.play_sound(tone(440, 50))
            await call_b.heard(ada.user.id)
            made_up: list[int] = []
            for _ in range(ROUNDS):
                before = counts(call_b)
                await asyncio.to_thread(hog)
                after = counts(call_b)
                assert after[0] - before[0] > HOG_SECONDS * 50
                made_up.append(after[1] - before[1])
                if made_up[-1] == 0:
                    break
            assert 0 in made_up, made_up
