"""What the audio threads have done, as plain values: of the whole, and of each speaker."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_MS, FRAME_SAMPLES, HOP_MS, HOP_SAMPLES, SAMPLE_RATE
from sidetone.audio.capture import LATENESS_BUCKET_NS
from sidetone.audio.jitter import JitterStats, snapshot
from sidetone.audio.memory import CaptureMemory, PlaybackMemory
from sidetone.audio.playback import SPEAKERS_MAX
from sidetone.audio.rings import FULL
from sidetone.e2ee.audio_frames import REFUSALS
from sidetone.native import Record, Records

_HOPS_IN_10_MS: Final = FRAME_MS // HOP_MS


@dataclass(frozen=True, slots=True)
class EngineStats:
    """A moment of an engine; counts run from its start.

    *frames_not_sealed* had no key, *frames_not_sent* were not to be sent or found the network's
    ring full. *packets_dropped* came while the playing thread was away, *refused* did not open, by
    code. *cpu_…_us* is what 10 ms of sound cost. *loss_percent* is what the encoder is told to
    expect. *lateness_ms* is the 99th percentile of how late the capturing thread came for its
    hops, where the clock tells (see CAPTURE). *xruns* and *missed* hops are the devices' own.
    """

    microphone: str
    speaker: str
    frames_captured: int
    packets_sent: int
    frames_not_sealed: int
    frames_not_sent: int
    frames_played: int
    frames_opened: int
    packets_dropped: int
    speakers_crowded_out: int
    refused: dict[str, int]
    level_db: float
    gain_db: float
    bad_hops: int
    frame_ms: int
    bitrate: int
    complexity: int
    loss_percent: int
    cpu_capture_us: float
    cpu_playback_us: float
    lateness_ms: float
    xruns_input: int
    xruns_output: int
    missed_input: int
    missed_output: int
    speakers: dict[int, JitterStats]


@dataclass(frozen=True, slots=True)
class Heard:
    """How many packets of a speaker came, whether the last one ended a talkspurt, and when."""

    received: int
    ended: bool
    at_ns: int


def heard(speakers: Records) -> dict[int, Heard]:
    """Tell of all active *speakers*, by sender."""
    return {
        int(speaker.sender): Heard(
            int(speaker.received), bool(speaker.ended), int(speaker.heard_ns)
        )
        for speaker in speakers
        if speaker.active
    }


def read_stats(
    capture: CaptureMemory,
    playback: PlaybackMemory,
    names: tuple[str, str],
    streams: tuple[Record, Record],
) -> EngineStats:
    """Take a snapshot of everything."""
    c, p = capture.control, playback.control
    return EngineStats(
        microphone=names[0],
        speaker=names[1],
        frames_captured=int(c.hops) * HOP_SAMPLES // FRAME_SAMPLES,
        packets_sent=int(c.frames_sent),
        frames_not_sealed=int(c.frames_unsealed),
        frames_not_sent=int(c.frames_unsent) + int(capture.sent.words[FULL]),
        frames_played=int(p.hops) * HOP_SAMPLES // FRAME_SAMPLES,
        frames_opened=int(p.opened),
        packets_dropped=int(playback.arrived.words[FULL]),
        speakers_crowded_out=int(p.crowded_out),
        refused=_refusals(p),
        level_db=float(capture.processing.level_db),
        gain_db=float(capture.processing.gain_db),
        bad_hops=int(capture.processing.bad_hops),
        frame_ms=int(c.samples) * 1000 // SAMPLE_RATE,
        bitrate=int(c.bitrate),
        complexity=int(c.complexity),
        loss_percent=int(c.loss_percent),
        cpu_capture_us=float(c.busy_ns) * _HOPS_IN_10_MS / 1000,
        cpu_playback_us=float(p.busy_ns) * _HOPS_IN_10_MS / 1000,
        lateness_ms=_quantile_ms(c.lateness, 0.99),
        xruns_input=int(streams[0].xruns),
        xruns_output=int(streams[1].xruns),
        missed_input=int(streams[0].missed),
        missed_output=int(streams[1].missed),
        speakers={
            int(playback.speakers[row].sender): snapshot(playback.jitters[row])
            for row in range(SPEAKERS_MAX)
            if playback.speakers[row].active
        },
    )


def _quantile_ms(buckets: NDArray[np.int64], share: float) -> float:
    """Return the upper edge of the bucket below which *share* of all hops came."""
    reached: NDArray[np.int64] = np.cumsum(buckets)
    if reached[-1] == 0:
        return 0.0
    bucket = int(np.searchsorted(reached, share * int(reached[-1])))
    return (bucket + 1) * LATENESS_BUCKET_NS / 1e6


def _refusals(playback: Record) -> dict[str, int]:
    """Name the frames that did not open by why."""
    counted = {
        code: int(playback.refused[-number])
        for number, code in REFUSALS.items()
        if playback.refused[-number]
    }
    if playback.held_lost:
        counted["frame_unknown"] = counted.get("frame_unknown", 0) + int(playback.held_lost)
    return counted
