"""What travels beside sound, in real calls: recording with consent, places, and the soundboard."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from libs.client.tests.stage import Home, in_step, pitch, saying, tone
from sidetone.audio.devices import NullMicrophone
from sidetone.audio.space import Listener
from sidetone.client import events
from sidetone.client.call import Call
from sidetone.client.event_stream import EventStream
from sidetone.client.recording import Recording
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict, Invalid
from tests.waiting import until


async def told(stream: EventStream, kind: type[events.Event]) -> events.Event:
    """Return the next event of this kind."""
    async with asyncio.timeout(10):
        async for event in stream:
            if isinstance(event, kind):
                return event
    raise AssertionError("the call is over")


async def agreed(asks: Call, *others: Call) -> None:
    """Have all agree to what one asks."""
    streams = [other.events() for other in others]
    asks.ask_to_record()
    for stream, other in zip(streams, others, strict=True):
        await told(stream, events.ConsentAsked)
        other.consent(True)


async def start(call: Call, folder: Path) -> None:
    """Start to record as soon as everybody's consent is here."""
    async with asyncio.timeout(10):
        while True:
            try:
                await call.start_recording(folder)
            except Conflict:
                await asyncio.sleep(0.02)
            else:
                return


def hertz(folder: Path, user: UserId) -> float:
    """Return the loudest frequency in somebody's file."""
    sound, rate = soundfile.read(folder / f"{user}.opus")
    spectrum = np.abs(np.fft.rfft(sound))
    return float(np.argmax(spectrum) * rate / sound.size)


def packets(folder: Path) -> dict[str, int]:
    rows = json.loads((folder / "recording.json").read_text("utf-8"))["speakers"]
    return {row["user"]: row["packets"] for row in rows}


async def test_a_recording_has_a_file_for_each_voice(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            seen = call_b.events()
            with pytest.raises(Conflict, match="recording_unasked"):
                await call_a.start_recording(folder)
            await agreed(call_a, call_b)
            await start(call_a, folder)
            assert await told(seen, events.RecordingStarted) == events.RecordingStarted(
                ada.user.id
            )
            await asyncio.gather(call_a.play(tone(440, 2)), call_b.play(tone(660, 2)))
            await call_a.stop_recording()
            stopped = events.RecordingStopped(ada.user.id, "stopped")
            assert await told(seen, events.RecordingStopped) == stopped
    assert hertz(folder, ada.user.id) == pytest.approx(440, abs=6)
    assert hertz(folder, ben.user.id) == pytest.approx(660, abs=6)
    assert min(packets(folder).values()) > 150
    lengths = {soundfile.info(path).frames for path in folder.glob("*.opus")}
    assert max(lengths) - min(lengths) <= 960


async def test_who_joins_is_not_recorded_before_they_agree(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    async with home.unit():
        ada, ben, cy = [await home.client() for _ in range(3)]
        lounge = await home.lounge(ada, ben, cy)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            await agreed(call_a, call_b)
            await start(call_a, folder)
            at_ben = call_b.events()
            async with cy.join_voice(lounge.id) as call_c, saying(call_c):
                at_cy = call_c.events()
                paused = events.RecordingStopped(ada.user.id, "paused")
                assert await told(at_ben, events.RecordingStopped) == paused
                await asyncio.wait_for(call_a.heard(cy.user.id), 10)
                await told(at_cy, events.ConsentAsked)
                assert str(cy.user.id) not in packets(folder)
                call_c.consent(True)
                assert await told(at_ben, events.RecordingStarted)
                await until(lambda: str(cy.user.id) in packets(folder))
                call_c.consent(False)
                assert await told(at_ben, events.RecordingStopped) == paused
            await told(at_ben, events.RecordingStarted)
    log = json.loads((folder / "recording.json").read_text("utf-8"))["log"]
    answers = [row["agrees"] for row in log if row.get("user") == str(cy.user.id)]
    assert answers == [True, False]


async def test_a_call_that_ends_completes_its_recording(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    async with home.unit():
        ada = await home.client()
        lounge = await home.lounge(ada)
        async with ada.join_voice(lounge.id) as call:
            call.ask_to_record()
            await start(call, folder)
            await call.play(tone(440, 1))
    assert hertz(folder, ada.user.id) == pytest.approx(440, abs=6)
    assert json.loads((folder / "recording.json").read_text("utf-8"))["ended_utc_ms"] is not None


async def test_a_voice_comes_from_where_its_speaker_is(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)

            def ears() -> tuple[float, float]:
                (peer,) = call_a.peers
                gains = call_a._inside.engine._playback.gains
                return gains[2 * peer.sender], gains[2 * peer.sender + 1]

            for call in (call_a, call_b):
                call.set_positional(True)
            call_b.set_position(3, 0, 0)
            await until(lambda: ears()[1] > 3 * ears()[0])
            call_a.set_listener(Listener((6, 0, 0)))
            assert ears()[0] > 3 * ears()[1]
            call_a.set_volume(ben.user.id, 0)
            assert ears() == (0, 0)
            call_a.set_volume(ben.user.id, 100)
            call_a.set_positional(False)
            assert ears() == (1, 1)


async def test_a_sound_is_said_beside_the_microphone(home: Home, tmp_path: Path) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        at_ben = Recording()
        async with (
            ada.join_voice(lounge.id, microphone=NullMicrophone()) as call_a,
            ben.join_voice(lounge.id, hear=at_ben) as call_b,
        ):
            await in_step(call_a, call_b)
            await until(lambda: call_a.member.sends_at_ms is not None)
            await call_a.play_sound(tone(440, 3))
            await until(lambda: len(at_ben.of(ada.user.id)) > 150)
            series = f'sidetone_audio_speaker_received_packets_total{{user="{ada.user.id}"}}'
            assert series in call_b.metrics()
            (tmp_path / "clip.wav").write_text("no sound")
            with pytest.raises(Invalid, match="clip_unusable"):
                await call_a.play_sound(tmp_path / "clip.wav")
            call_a.stop_sound()
    assert pitch(at_ben.of(ada.user.id)) == pytest.approx(440, abs=6)
