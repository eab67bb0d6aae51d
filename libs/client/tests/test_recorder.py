"""The recorder with a room of two: Ada, who is us, and Ben."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
import soundfile

from libs.e2ee.tests.stage import person
from sidetone.audio.copies import OWN
from sidetone.audio.timeline import Spoken
from sidetone.client import events
from sidetone.client.call_recording import Voice
from sidetone.client.consent import Consents, Epoch
from sidetone.client.recorder import Recorder
from sidetone.e2ee import data
from sidetone.e2ee.actions import Participant
from sidetone.e2ee.media import Opened
from sidetone.e2ee.schedule import MediaKind
from sidetone.e2ee.trust import Shield
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.refusals import Conflict, Invalid
from tests.waiting import until

ADA, BEN = person("ada"), person("ben")
VOICES = {
    OWN: Voice(UserId(UUID(bytes=ADA.user)), DeviceId(UUID(bytes=ADA.device))),
    1: Voice(UserId(UUID(bytes=BEN.user)), DeviceId(UUID(bytes=BEN.device))),
}
ROSTER = tuple(
    Participant(sender, each.user, each.device, each.uik, each.dk, Shield.KNOWN)
    for sender, each in enumerate((ADA, BEN))
)
PACKET = b"\x70" + bytes(60)


class Room:
    """An engine's copies and a call's owner, as the recorder sees them."""

    def __init__(self) -> None:
        self.copies: list[tuple[int, Spoken]] = []
        self.copying = False
        self.told: list[events.Event] = []
        self.consents = Consents(ADA)
        self.recorder = Recorder(self, self.consents, self, self.now_ms)
        self.counter = 0
        self.epoch = 0
        self.begin(0)

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def begin(self, epoch: int) -> None:
        self.epoch = epoch
        began = Epoch(epoch, bytes([epoch]) * 32, 0, ROSTER)
        self.publish(self.consents.epoch_began(began, self.now_ms()))

    def copy_packets(self, wanted: bool) -> None:
        self.copying = wanted

    def take_copies(self) -> list[tuple[int, Spoken]]:
        taken, self.copies = self.copies, []
        return taken

    def voices(self) -> dict[int, Voice]:
        return VOICES

    def publish(self, changes: Sequence[events.Event]) -> None:
        self.told += changes
        self.recorder.note(changes)

    def say(self, sender: int, epoch: int | None = None) -> None:
        if self.copying:
            self.counter += 1
            at = self.epoch if epoch is None else epoch
            spoken = Spoken(at, self.counter, time.monotonic_ns(), end=False, opus=PACKET)
            self.copies.append((sender, spoken))

    def ben_says(self, agrees: bool) -> None:
        self.counter += 1
        signer = data.Signer(BEN.dk, bytes([self.epoch]) * 32, 1)
        word = data.pack_consent(BEN, signer, agrees=agrees)
        opened = Opened(1, self.counter, word, MediaKind.DATA, end=False, low=0, epoch=self.epoch)
        self.publish(self.consents.received(opened, self.now_ms()))

    def agree(self) -> None:
        self.publish(self.consents.ask(self.now_ms()))
        self.ben_says(agrees=True)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    yield made
    await made.recorder.stop()


def counted(folder: Path) -> dict[str, int]:
    rows = json.loads((folder / "recording.json").read_text("utf-8"))["speakers"]
    return {row["user"]: row["packets"] for row in rows}


ADAS, BENS = (str(VOICES[sender].user) for sender in (OWN, 1))


async def test_both_are_written_to_the_last_word(room: Room, tmp_path: Path) -> None:
    room.agree()
    await room.recorder.start(tmp_path)
    for _ in range(20):
        room.say(OWN)
        room.say(1)
        await asyncio.sleep(0.01)
    await room.recorder.stop()
    assert counted(tmp_path) == {ADAS: 20, BENS: 20}
    assert not room.copying
    assert not room.recorder.running
    for name in (ADAS, BENS):
        assert soundfile.info(tmp_path / f"{name}.opus").frames > 5_000
    assert room.told[-1] == events.RecordingStopped(VOICES[OWN].user, "stopped")
    await room.recorder.stop()


async def test_nothing_begins_before_it_was_asked_for_and_agreed_to(
    room: Room, tmp_path: Path
) -> None:
    with pytest.raises(Conflict, match="recording_unasked"):
        await room.recorder.start(tmp_path)
    room.publish(room.consents.ask(room.now_ms()))
    with pytest.raises(Conflict, match="consent_missing"):
        await room.recorder.start(tmp_path)
    assert not room.copying
    room.ben_says(agrees=True)
    await room.recorder.start(tmp_path)
    with pytest.raises(Conflict, match="recording_already"):
        await room.recorder.start(tmp_path / "another")


async def test_what_is_said_after_consent_was_taken_back_is_not_written(
    room: Room, tmp_path: Path
) -> None:
    room.agree()
    await room.recorder.start(tmp_path)
    room.say(1)
    await until(lambda: not room.copies)
    room.ben_says(agrees=False)
    for _ in range(10):
        room.say(1)
        room.say(OWN)
    await until(lambda: not room.copies)
    room.ben_says(agrees=True)
    room.say(1)
    await room.recorder.stop()
    assert counted(tmp_path) == {BENS: 2}
    log = json.loads((tmp_path / "recording.json").read_text("utf-8"))["log"]
    assert [row.get("agrees") for row in log if row["event"] == "consent_changed"] == [False, True]


async def test_what_is_said_while_consents_are_renewed_is_written_once_they_are(
    room: Room, tmp_path: Path
) -> None:
    room.agree()
    await room.recorder.start(tmp_path)
    room.say(1, epoch=1)
    room.begin(1)
    room.say(1)
    room.say(1, epoch=0)
    await until(lambda: not room.copies)
    room.ben_says(agrees=True)
    await room.recorder.stop()
    assert counted(tmp_path) == {BENS: 3}


async def test_a_disk_that_fails_ends_the_recording_in_one_line(
    room: Room, tmp_path: Path
) -> None:
    room.agree()
    folder = tmp_path / "gone"
    await room.recorder.start(folder)
    shutil.rmtree(folder)
    room.say(1)
    await until(lambda: not room.recorder.running)
    lines = [event.detail for event in room.told if isinstance(event, events.AudioFailed)]
    assert len(lines) == 1
    assert "choose a folder with room that you may write to" in lines[0]
    assert events.RecordingStopped(VOICES[OWN].user, "failed") in room.told
    assert not room.copying


async def test_a_folder_that_cannot_be_used_is_refused(room: Room, tmp_path: Path) -> None:
    room.agree()
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="folder_unusable"):
        await room.recorder.start(tmp_path / "file")
    assert not room.recorder.running
