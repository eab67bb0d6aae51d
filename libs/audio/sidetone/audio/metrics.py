"""What an engine counts, as text that Prometheus scrapes (exposition format 0.0.4).

Base units throughout: seconds, ratios from 0 to 1; levels are decibels below full scale. Names of
speakers become labels, so this is for a client's own eyes or a bot's, not for a server's.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

_PREFIX: Final = "sidetone_audio_"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class _Figure(NamedTuple):
    """A field of a dataclass, and how it is told; a name that ends in ``_total`` is a counter."""

    field: str
    name: str
    help: str
    scale: float = 1.0


_MS: Final = 1e-3
_US: Final = 1e-6
_PERCENT: Final = 1e-2

ENGINE: Final = (
    _Figure("frames_captured", "captured_frames_total", "Frames of 10 ms from the microphone."),
    _Figure("packets_sent", "sent_packets_total", "Packets given to the network."),
    _Figure("frames_not_sealed", "unsealed_frames_total", "Frames for which there was no key."),
    _Figure("frames_not_sent", "unsent_frames_total", "Frames not to be sent, or not sendable."),
    _Figure("frames_played", "played_frames_total", "Frames of 10 ms to the loudspeaker."),
    _Figure("frames_opened", "opened_packets_total", "Packets of others that were decrypted."),
    _Figure("packets_dropped", "dropped_packets_total", "Packets that came too many at once."),
    _Figure("speakers_crowded_out", "crowded_out_packets_total", "Packets of one voice too many."),
    _Figure("level_db", "microphone_level_decibels", "Level of the microphone."),
    _Figure("gain_db", "microphone_gain_decibels", "What the gain control adds."),
    _Figure("bad_hops", "bad_hops_total", "Stretches of 5 ms that were no numbers."),
    _Figure("frame_ms", "frame_seconds", "Length of the frames that are sent.", _MS),
    _Figure("bitrate", "bitrate_bits_per_second", "Bitrate of the encoder."),
    _Figure("complexity", "encoder_complexity", "Effort of the encoder, 0 to 10."),
    _Figure("loss_percent", "expected_loss_ratio", "Loss the encoder prepares for.", _PERCENT),
    _Figure("cpu_capture_us", "capture_busy_seconds", "Time that 10 ms of capture take.", _US),
    _Figure("cpu_playback_us", "playback_busy_seconds", "Time that 10 ms of playback take.", _US),
    _Figure("lateness_ms", "lateness_seconds", "99th percentile of lateness of a hop.", _MS),
    _Figure("xruns_input", "input_xruns_total", "Times the microphone's buffer ran over."),
    _Figure("xruns_output", "output_xruns_total", "Times the loudspeaker's buffer ran dry."),
    _Figure("missed_input", "input_missed_hops_total", "Stretches of 5 ms not read in time."),
    _Figure("missed_output", "output_missed_hops_total", "Stretches of 5 ms not played in time."),
)
SPEAKER: Final = (
    _Figure("received", "speaker_received_packets_total", "Packets that arrived."),
    _Figure("lost", "speaker_lost_packets_total", "Packets that were not there when due."),
    _Figure("fec_recovered", "speaker_recovered_packets_total", "Lost, read from their copy."),
    _Figure("concealed", "speaker_concealed_total", "Times that sound was made up."),
    _Figure("concealed_ms", "speaker_concealed_seconds_total", "Sound that was made up.", _MS),
    _Figure("late", "speaker_late_packets_total", "Packets that came after their time."),
    _Figure("duplicates", "speaker_duplicate_packets_total", "Packets that came before."),
    _Figure("malformed", "speaker_malformed_packets_total", "Packets that were no Opus."),
    _Figure("stretched", "speaker_stretched_total", "Times that sound was stretched or squeezed."),
    _Figure("stretched_ms", "speaker_stretched_seconds_total", "Time so won or lost.", _MS),
    _Figure("resyncs", "speaker_resyncs_total", "Times that the buffer began anew."),
    _Figure("depth_ms", "speaker_buffer_seconds", "Sound in store.", _MS),
    _Figure("target_ms", "speaker_target_delay_seconds", "Delay that is aimed at.", _MS),
    _Figure("jitter_ms", "speaker_jitter_seconds", "95th percentile of lateness.", _MS),
    _Figure("loss", "speaker_loss_ratio", "Recent loss."),
    _Figure("level_db", "speaker_level_decibels", "Level of what is heard."),
    _Figure("playing", "speaker_playing", "Whether the speaker is heard just now."),
)


def prometheus_text(engine: object, speakers: Mapping[str, object]) -> str:
    """Tell an engine's statistics, and those of its speakers by name.

    Takes any objects with such attributes (`EngineStats`, `JitterStats`); what one lacks is left
    out, so that older figures and newer ones can be told alike.
    """
    blocks = [
        *(_block(figure, [({}, engine)]) for figure in ENGINE),
        _refusals(getattr(engine, "refused", {})),
        _devices(engine),
        *(
            _block(figure, [({"user": name}, stats) for name, stats in speakers.items()])
            for figure in SPEAKER
        ),
    ]
    return "".join(blocks)


def _block(figure: _Figure, sources: Iterable[tuple[dict[str, str], object]]) -> str:
    samples: list[tuple[dict[str, str], float]] = []
    for labels, source in sources:
        value: Any = getattr(source, figure.field, None)
        if value is not None:
            samples.append((labels, float(value) * figure.scale))
    return _told(figure.name, figure.help, samples)


def _refusals(refused: Mapping[str, int]) -> str:
    samples = [({"reason": reason}, float(count)) for reason, count in sorted(refused.items())]
    return _told("refused_packets_total", "Packets of others that did not open.", samples)


def _devices(engine: object) -> str:
    names = {kind: str(getattr(engine, kind, "")) for kind in ("microphone", "speaker")}
    return _told(
        "devices_info", "The devices in use.", [(names, 1.0)] if any(names.values()) else []
    )


def _told(name: str, text: str, samples: list[tuple[dict[str, str], float]]) -> str:
    if not samples:
        return ""
    kind = "counter" if name.endswith("_total") else "gauge"
    lines = [f"# HELP {_PREFIX}{name} {text}", f"# TYPE {_PREFIX}{name} {kind}"]
    for labels, value in samples:
        lines.append(f"{_PREFIX}{name}{_labelled(labels)} {_number(value)}")
    return "\n".join(lines) + "\n"


def _labelled(labels: dict[str, str]) -> str:
    pairs = (f'{key}="{label.translate(_ESCAPES)}"' for key, label in labels.items())
    return f"{{{','.join(pairs)}}}" if labels else ""


def _number(value: float) -> str:
    if math.isfinite(value):
        return f"{value:.12g}"
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
