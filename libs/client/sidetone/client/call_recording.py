"""One recording of a call on disk: a file of Opus for each device, and a list of what they are.

All files begin at the same moment and last until the end, so they can be laid side by side in an
editor. `recording.json` names them, and tells when who asked, agreed and recorded. It is
there from the start, so that a recording that was cut off can still be read.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sidetone.audio import SAMPLE_RATE, AudioError
from sidetone.audio.ogg import OpusFile
from sidetone.audio.timeline import HOLD_NS, Spoken, Timeline
from sidetone.client.events import (
    ConsentAsked,
    ConsentChanged,
    Event,
    RecordingStarted,
    RecordingStopped,
)
from sidetone.protocol.ids import DeviceId, UserId

LIST_NAME: Final = "recording.json"
# Silence is written no nearer to the present than this: packets that are held may belong there.
_BEHIND_NS: Final = HOLD_NS + 1_000_000_000
_NS: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000
_LOGGED: Final[dict[type[Event], str]] = {
    ConsentAsked: "consent_asked",
    ConsentChanged: "consent_changed",
    RecordingStarted: "recording_started",
    RecordingStopped: "recording_stopped",
}


@dataclass(frozen=True, slots=True)
class Voice:
    """Whose packets: one device of one user."""

    user: UserId
    device: DeviceId


@dataclass(slots=True)
class _Track:
    voice: Voice
    file: OpusFile
    name: str
    timeline: Timeline
    packets: int = 0


@dataclass(slots=True)
class _Notes:
    begun_utc_ms: int
    ended_utc_ms: int | None = None
    log: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class CallRecording:
    """Files in *folder*, from *begun_ns* of the monotonic clock on.

    Raises ``AudioError`` in one line, here and everywhere, where the disk does not take them. Not
    for concurrent use; may be used on any thread.
    """

    def __init__(self, folder: Path, begun_ns: int, begun_utc_ms: int) -> None:
        self._folder = folder
        self._begun_ns = begun_ns
        self._notes = _Notes(begun_utc_ms)
        self._tracks: dict[Voice, _Track] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error
        if (folder / LIST_NAME).exists():
            raise AudioError(f"{folder} holds a recording already; choose another folder")
        self._list()

    def take(self, packets: Iterable[tuple[Voice, Spoken]], now_ns: int) -> None:
        """Write what was said, as far as it is old enough to be in order, and silence between."""
        for voice, packet in packets:
            self._track(voice).timeline.push(packet)
        behind = (now_ns - _BEHIND_NS - self._begun_ns) * SAMPLE_RATE // _NS
        for track in self._tracks.values():
            self._write(track, track.timeline.due(now_ns))
            track.file.fill(behind)

    def note(self, event: Event, now_ns: int) -> None:
        """Put down who asked, agreed and recorded, and when."""
        what = _LOGGED.get(type(event))
        if what is not None:
            at_ms = (now_ns - self._begun_ns) // _NS_PER_MS
            self._notes.log.append({"at_ms": at_ms, "event": what} | asdict(event))
            self._list()

    def close(self, now_ns: int) -> None:
        """Write everything that is held back, and complete all files; always to be called.

        A file that cannot be completed does not keep the others from it.
        """
        passed_ns = now_ns - self._begun_ns
        self._notes.ended_utc_ms = self._notes.begun_utc_ms + passed_ns // _NS_PER_MS
        failures: list[AudioError] = []
        for track in self._tracks.values():
            try:
                self._write(track, track.timeline.rest())
                track.file.fill(passed_ns * SAMPLE_RATE // _NS)
                track.file.close()
            except AudioError as error:
                failures.append(error)
        self._list()
        if failures:
            raise failures[0]

    def _write(self, track: _Track, placed: list[tuple[int, bytes]]) -> None:
        for at_samples, opus in placed:
            track.file.append(at_samples, opus)
        track.packets += len(placed)

    def _track(self, voice: Voice) -> _Track:
        track = self._tracks.get(voice)
        if track is None:
            more = sum(other.user == voice.user for other in self._tracks)
            name = f"{voice.user}-{more + 1}.opus" if more else f"{voice.user}.opus"
            file = OpusFile(self._folder / name, len(self._tracks), {"TITLE": str(voice.user)})
            track = _Track(voice, file, name, Timeline(self._begun_ns))
            self._tracks[voice] = track
            self._list()
        return track

    def _list(self) -> None:
        """Write the list anew, so that there is a whole one at every moment."""
        speakers = [
            {
                "file": track.name,
                "user": track.voice.user,
                "device": track.voice.device,
                "packets": track.packets,
                "packets_dropped": track.timeline.dropped,
            }
            for track in self._tracks.values()
        ]
        text = json.dumps(asdict(self._notes) | {"speakers": speakers}, default=str, indent=2)
        path = self._folder / LIST_NAME
        try:
            fresh = path.with_suffix(".json.new")
            fresh.write_text(text, "utf-8")
            fresh.replace(path)
        except OSError as error:
            raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> AudioError:
    return AudioError(
        f"cannot write {path}: {error.strerror}; choose a folder with room that you may write to"
    )
