"""Sound cards, for real: PyAudio, PortAudio, ALSA and a PulseAudio with virtual devices."""

import os
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from sidetone.audio import HOP_SAMPLES, AudioError, Samples, linux_sound, sound_card
from sidetone.audio.sound_card import SoundCard, list_devices, open_microphone, open_speaker
from sidetone.audio.streams import read_hop, write_hop
from tests.sound_server import EAR_MONITOR, SoundServer, sound_server

HOPS = 200


@pytest.fixture
def server() -> Generator[SoundServer]:
    with sound_server().chosen():
        yield sound_server()
    assert sound_card.in_use() == 0, "what a test opens it closes"


def chirp() -> Samples:
    at = np.arange(4800) / 48_000
    return (0.5 * np.sin(2 * np.pi * (500 + 15_000 * at) * at) * np.hanning(4800)).astype("f4")


def likeness(sound: Samples, pattern: Samples) -> float:
    """Return how well *pattern* is found somewhere in *sound*, 0 to 1."""
    size = 1 << (sound.size + pattern.size).bit_length()
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(pattern, size))
    cross = np.fft.irfft(product, size)[: sound.size - pattern.size]
    best = int(np.argmax(cross))
    piece = sound[best : best + pattern.size]
    return float(cross[best] / (np.linalg.norm(piece) * np.linalg.norm(pattern) + 1e-9))


def hear(microphone: SoundCard, hops: int) -> Samples:
    heard, out = [], np.zeros(HOP_SAMPLES, np.float32)
    for _ in range(hops):
        at_ns = read_hop(microphone.stream, out)
        assert at_ns > 0, microphone.failure(at_ns)
        heard.append(out.copy())
    return np.concatenate(heard)


@pytest.fixture(params=["direct", "through Python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "direct":
        # As if this were a version that we do not know.
        monkeypatch.setattr("pyaudio.__version__", "0.3")
    return str(request.param)


def test_a_chirp_comes_in_by_the_microphone(server: SoundServer, way: str) -> None:
    microphone = open_microphone()
    assert microphone.is_direct == (way == "direct")
    with server.play(np.tile(np.concatenate((np.zeros(9_600, "f4"), chirp())), 20)) as player:
        assert likeness(hear(microphone, HOPS), chirp()) > 0.95
        player.terminate()
    assert microphone.stream.invalid == 0
    microphone.close()
    microphone.close()


def test_a_chirp_goes_out_by_the_loudspeaker(server: SoundServer, way: str) -> None:
    speaker = open_speaker()
    assert speaker.is_direct == (way == "direct")
    said = np.tile(np.concatenate((np.zeros(9_600, "f4"), chirp())), 10).reshape(-1, HOP_SAMPLES)
    with server.record(EAR_MONITOR) as recorder:
        assert recorder.stdout is not None
        for hop in said:
            at_ns = write_hop(speaker.stream, hop, hop)
            assert at_ns > 0, speaker.failure(at_ns)
        heard = np.frombuffer(recorder.stdout.read(4 * 48_000), "<f4")
        recorder.terminate()
    speaker.close()
    # A busy machine tears holes into what Python writes, but it stays this chirp.
    assert likeness(heard, chirp()) > 0.7


def test_devices_are_listed_and_opened_by_what_they_are_called(server: SoundServer) -> None:
    found = list_devices()
    assert {device.direction for device in found if device.is_default} == {"input", "output"}
    assert found[0].direction == "input"
    assert found[0].is_default
    for wanted in (found[0].id, found[0].name):
        microphone = open_microphone(wanted)
        assert microphone.name == found[0].name
        assert sound_card.in_use() == 1
        microphone.close()


def test_an_unknown_device_is_refused_with_those_that_are_there(server: SoundServer) -> None:
    with pytest.raises(AudioError, match=r"no loudspeaker is called “no such”; there is default"):
        open_speaker("no such")


def test_two_microphones_at_once_both_hear(server: SoundServer) -> None:
    first, second = open_microphone(), open_microphone()
    hear(first, 5)
    hear(second, 5)
    first.close()
    hear(second, 5)
    second.close()


def test_a_server_that_ends_in_a_call_is_a_sentence_and_one_that_returns_is_found() -> None:
    server = SoundServer()
    out = np.zeros(HOP_SAMPLES, np.float32)
    with server.chosen():
        microphone, speaker = open_microphone(), open_speaker()
        hear(microphone, 20)
        assert write_hop(speaker.stream, out, out) > 0
        server.kill()
        read = next(at for at in (read_hop(microphone.stream, out) for _ in range(500)) if at < 0)
        wrote = next(
            at for at in (write_hop(speaker.stream, out, out) for _ in range(500)) if at < 0
        )
        for device, code in ((microphone, read), (speaker, wrote)):
            assert "is gone: it was unplugged or its sound server" in str(device.failure(code))
            device.close()
        with pytest.raises(AudioError, match="no microphone: plug one in"):
            open_microphone()
        assert list_devices() == []
        server.start()
        found = open_microphone()
        hear(found, 5)
        found.close()
    server.stop()


def test_pulseaudio_shares_no_memory_with_us_unless_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_CLIENTCONFIG", "the user's own")
    linux_sound.share_no_memory()
    assert os.environ["PULSE_CLIENTCONFIG"] == "the user's own"
    monkeypatch.delenv("PULSE_CLIENTCONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "pulse").mkdir()
    (tmp_path / "pulse" / "client.conf").write_text("default-server = here\n")
    linux_sound.share_no_memory()
    written = Path(os.environ["PULSE_CLIENTCONFIG"]).read_text()
    assert written == f".include {tmp_path}/pulse/client.conf\nenable-shm = no\n"
