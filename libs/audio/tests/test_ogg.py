import importlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import AudioError, Samples
from sidetone.audio.ogg import PRE_SKIP_SAMPLES, OpusFile, checksum
from sidetone.audio.opus_packets import packet_samples, silence

opus = importlib.import_module("opuslib_next")
SECOND = 48_000


def encoded(sound: Samples, frame: int) -> list[bytes]:
    encoder = opus.Encoder(48_000, 1, "audio")
    encoder.bitrate = 64_000
    return [
        encoder.encode_float(sound[at : at + frame].tobytes(), frame)
        for at in range(0, sound.size - frame + 1, frame)
    ]


def read(path: Path) -> Samples:
    sound, rate = soundfile.read(path, dtype="float32")
    assert rate == 48_000
    assert sound.ndim == 1
    return sound


def written(folder: Path, fill: Callable[[OpusFile], None]) -> Path:
    path = folder / "ada.opus"
    file = OpusFile(path, 7, {"TITLE": "ada"})
    fill(file)
    file.close()
    return path


def nothing(_file: OpusFile) -> None:
    pass


def pages(data: bytes) -> list[tuple[int, int, list[bytes]]]:
    """Split a file into pages of (flags, granule, packets), as RFC 3533 says."""
    found = []
    while data:
        assert data[:4] == b"OggS"
        assert (
            checksum(data[:22] + bytes(4) + data[26 : 27 + data[26] + sum(data[27:][: data[26]])])
            == data[22:26]
        )
        lacing, at, packets, size = data[27 : 27 + data[26]], 27 + data[26], [], 0
        assert not lacing or lacing[-1] < 255, "no packet goes on in the next page"
        for value in lacing:
            size += value
            if value < 255:
                packets.append(data[at : at + size])
                at, size = at + size, 0
        found.append((data[5], int.from_bytes(data[6:14], "little"), packets))
        data = data[at:]
    return found


@pytest.mark.parametrize("frame", [240, 480, 960])
def test_another_reader_hears_what_was_said_when_it_was_said(
    tmp_path: Path, ada: Samples, frame: int
) -> None:
    said = ada[: 3 * SECOND]

    def fill(file: OpusFile) -> None:
        for n, packet in enumerate(encoded(said, frame)):
            assert file.append(2 * SECOND + n * frame, packet)

    heard = read(written(tmp_path, fill))
    assert heard.size == 5 * SECOND
    assert np.abs(heard[: 2 * SECOND - 480]).max() < 1e-6, "silence until they speak"
    shifts = range(-50, 51)
    fits = [
        np.dot(said[10_000:100_000], heard[2 * SECOND + 10_000 + shift :][:90_000])
        for shift in shifts
    ]
    assert abs(shifts[int(np.argmax(fits))]) <= 1, "aligned to a sample"


@pytest.mark.skipif(shutil.which("opusinfo") is None, reason="opusinfo (opus-tools) is missing")
def test_opusinfo_finds_nothing_to_warn_of(tmp_path: Path, ada: Samples) -> None:
    def fill(file: OpusFile) -> None:
        for n, packet in enumerate(encoded(ada[: 2 * SECOND], 480)):
            if n % 10 != 3:
                file.append(n * 480 + (n // 100) * SECOND, packet)

    result = subprocess.run(
        ["opusinfo", written(tmp_path, fill)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    assert "WARNING" not in result.stdout + result.stderr
    assert "TITLE=ada" in result.stdout
    assert "Pre-skip: 312" in result.stdout


def test_what_is_missing_in_speech_is_made_up_and_what_is_between_is_silence(
    tmp_path: Path,
) -> None:
    packet = b"\x70" + bytes(range(60))

    def fill(file: OpusFile) -> None:
        for at in (0, 480, 1440, 10_080):
            file.append(at, packet)

    inside = [
        each
        for _, _, packets in pages(written(tmp_path, fill).read_bytes())[2:]
        for each in packets
    ]
    assert inside[:5] == [packet, packet, b"\x70", packet, silence(960)[0]]
    assert sum(packet_samples(each) for each in inside) == 10_080 + 480 + 480


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 1275)), max_size=300))
def test_packets_of_every_length_come_back_in_their_place(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]]
) -> None:
    expected: dict[int, bytes] = {}

    def fill(file: OpusFile) -> None:
        for gap, length in rows:
            at = file.end_samples + gap * 120
            packet = (b"\x70" + bytes((length & 255,)) * 1274)[:length]
            expected[at] = packet
            assert file.append(at, packet)

    first, tags, *audio = pages(written(tmp_path_factory.mktemp("o"), fill).read_bytes())
    assert first[:2] == (2, 0)
    assert first[2][0][:8] == b"OpusHead"
    assert tags[2][0][:8] == b"OpusTags"
    assert [flags for flags, _, _ in audio] == [0] * (len(audio) - 1) + [4]
    at, place = 0, {}
    for flags, granule, packets in audio:
        assert 0 < sum(packet_samples(each) for each in packets) <= SECOND + 960
        for packet in packets:
            place[at] = packet
            at += packet_samples(packet)
        assert granule == (at if not flags else at - 480 + PRE_SKIP_SAMPLES)
    assert expected.items() <= place.items()


def test_many_short_packets_fit_into_pages(tmp_path: Path) -> None:
    def fill(file: OpusFile) -> None:
        for n in range(800):
            assert file.append(n * 120, b"\xe0\xff\xfe")

    audio = pages(written(tmp_path, fill).read_bytes())[2:]
    assert sum(len(packets) for _, _, packets in audio) == 801
    assert max(len(packets) for _, _, packets in audio) <= 255


def test_every_second_is_on_the_disk_when_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "ada.opus"
    file = OpusFile(path, 7, {})
    for second in range(2, 5):
        file.fill(second * SECOND)
        assert read(path).size >= (second - 1) * SECOND - 960 - PRE_SKIP_SAMPLES
    file.close()


def test_a_file_cut_off_anywhere_plays_up_to_there(tmp_path: Path, ada: Samples) -> None:
    path = tmp_path / "ada.opus"
    file = OpusFile(path, 7, {})
    for n, packet in enumerate(encoded(ada[: 3 * SECOND], 480)):
        file.append(n * 480, packet)
    assert read(path).size > 1.9 * SECOND, "nothing was closed, yet a page a second is there"
    whole = path.read_bytes()
    for length in range(len(whole) * 2 // 3, len(whole), 503):
        path.write_bytes(whole[:length])
        assert read(path).size >= 0.9 * SECOND
    file.close()


def test_what_is_no_opus_is_left_out(tmp_path: Path) -> None:
    def fill(file: OpusFile) -> None:
        assert not file.append(0, b"")
        assert not file.append(0, b"\x03")
        assert not file.append(0, bytes(1276))
        assert file.end_samples == 0

    assert read(written(tmp_path, fill)).size == 0


def test_a_packet_from_the_past_follows_the_one_before(tmp_path: Path) -> None:
    packet = b"\x70" + bytes(60)

    def fill(file: OpusFile) -> None:
        file.append(4800, packet)
        file.append(0, packet)
        assert file.end_samples == 4800 + 2 * 480

    written(tmp_path, fill)


def test_a_folder_that_is_not_there_or_a_file_that_is_says_so_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="No such file or directory; choose a folder"):
        OpusFile(tmp_path / "nowhere" / "ada.opus", 7, {})
    written(tmp_path, nothing)
    with pytest.raises(AudioError, match="File exists; choose a folder"):
        written(tmp_path, nothing)


def test_a_disk_that_takes_no_more_says_so_in_one_line(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="no limits on file sizes here")
    path, packet = tmp_path / "ada.opus", b"\x70" + bytes(60)
    file = OpusFile(path, 7, {})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(AudioError, match="File too large; choose a folder with room"):
            all(file.append(n * 480, packet) for n in range(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    size = path.stat().st_size
    assert file.append(10 * SECOND, packet)
    file.close()
    assert path.stat().st_size == size, "a file that failed ends there"
    assert read(path).size > SECOND / 2, "what was written before plays"
