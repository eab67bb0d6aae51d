import json
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile

from sidetone.audio import AudioError
from sidetone.audio.timeline import Spoken
from sidetone.client.call_recording import LIST_NAME, CallRecording, Voice
from sidetone.client.events import ConsentChanged, EpochStarted
from sidetone.protocol.ids import DeviceId, UserId

MS = 1_000_000
ADA = Voice(UserId(UUID(int=1)), DeviceId(UUID(int=11)))
ADA_TOO = Voice(UserId(UUID(int=1)), DeviceId(UUID(int=12)))
BEN = Voice(UserId(UUID(int=2)), DeviceId(UUID(int=21)))
PACKET = b"\x70" + bytes(60)
BEGUN_UTC_MS = 1_800_000_000_000


def spoken(counter: int, at_ms: int) -> Spoken:
    return Spoken(0, counter, at_ms * MS, end=False, opus=PACKET)


def listed(folder: Path) -> dict[str, object]:
    return json.loads((folder / LIST_NAME).read_text("utf-8"))


def test_each_device_has_a_file_and_all_are_as_long_as_the_recording(tmp_path: Path) -> None:
    recording = CallRecording(tmp_path / "new" / "folder", 0, BEGUN_UTC_MS)
    for n in range(100):
        packets = [(ADA, spoken(n, 510 + 10 * n)), (ADA_TOO, spoken(n, 510 + 10 * n))]
        recording.take(packets, (510 + 10 * n) * MS)
    recording.take([(BEN, spoken(0, 2_000))], 2_000 * MS)
    recording.close(5_000 * MS)
    folder = tmp_path / "new" / "folder"
    names = {f"{ADA.user}.opus", f"{ADA.user}-2.opus", f"{BEN.user}.opus"}
    assert {path.name for path in folder.iterdir()} == names | {LIST_NAME}
    assert {soundfile.info(folder / name).frames for name in names} == {240_000}
    rows = listed(folder)["speakers"]
    assert isinstance(rows, list)
    assert [(row["file"], row["user"], row["packets"]) for row in rows] == [
        (f"{ADA.user}.opus", str(ADA.user), 100),
        (f"{ADA.user}-2.opus", str(ADA.user), 100),
        (f"{BEN.user}.opus", str(BEN.user), 1),
    ]


def test_files_grow_in_silence_too_so_that_a_crash_loses_seconds_only(tmp_path: Path) -> None:
    recording = CallRecording(tmp_path, 0, BEGUN_UTC_MS)
    recording.take([(ADA, spoken(0, 100))], 100 * MS)
    recording.take([], 60_000 * MS)
    assert soundfile.info(tmp_path / f"{ADA.user}.opus").frames > 57 * 48_000
    assert listed(tmp_path)["ended_utc_ms"] is None
    recording.close(60_000 * MS)


def test_who_agreed_and_when_is_put_down(tmp_path: Path) -> None:
    recording = CallRecording(tmp_path, 0, BEGUN_UTC_MS)
    recording.note(ConsentChanged(BEN.user, agrees=False), 1_500 * MS)
    recording.note(EpochStarted(3, "123"), 1_600 * MS)
    recording.close(2_000 * MS)
    assert listed(tmp_path) == {
        "begun_utc_ms": BEGUN_UTC_MS,
        "ended_utc_ms": BEGUN_UTC_MS + 2_000,
        "log": [
            {"at_ms": 1_500, "event": "consent_changed", "user": str(BEN.user), "agrees": False}
        ],
        "speakers": [],
    }


def test_what_was_said_last_is_not_lost(tmp_path: Path) -> None:
    recording = CallRecording(tmp_path, 0, BEGUN_UTC_MS)
    recording.take([(ADA, spoken(n, 1_000 + 10 * n)) for n in range(10)], 1_100 * MS)
    recording.close(1_100 * MS)
    rows = listed(tmp_path)["speakers"]
    assert isinstance(rows, list)
    assert rows[0]["packets"] == 10
    sound, _ = soundfile.read(tmp_path / f"{ADA.user}.opus")
    assert sound.size == 1_100 * 48
    assert np.all(np.isfinite(sound))


def test_a_folder_that_cannot_be_used_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioError, match="choose a folder with room that you may write to"):
        CallRecording(tmp_path / "file", 0, BEGUN_UTC_MS)
    CallRecording(tmp_path / "used", 0, BEGUN_UTC_MS).close(1)
    with pytest.raises(AudioError, match="holds a recording already; choose another folder"):
        CallRecording(tmp_path / "used", 0, BEGUN_UTC_MS)


def test_one_file_that_is_in_the_way_does_not_keep_the_others_from_being_completed(
    tmp_path: Path,
) -> None:
    recording = CallRecording(tmp_path, 0, BEGUN_UTC_MS)
    (tmp_path / f"{BEN.user}.opus").write_text("")
    recording.take([(ADA, spoken(0, 100))], 100 * MS)
    with pytest.raises(AudioError, match="File exists"):
        recording.take([(BEN, spoken(0, 100))], 100 * MS)
    recording.close(1_000 * MS)
    assert soundfile.info(tmp_path / f"{ADA.user}.opus").frames == 48_000
