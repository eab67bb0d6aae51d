"""Sound in a call: two threads that never take the interpreter lock, told what to do from here.

The threads (`loops`) run kernels on memory that is made once (`memory`). Here their control words
are written and their counters read; sealed frames go out and come in through rings.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from sidetone.audio import SAMPLE_RATE, AudioError, Samples, copies
from sidetone.audio.adaptation import Adaptation
from sidetone.audio.capture import run_capture
from sidetone.audio.devices import Microphone, NullMicrophone, NullSpeaker, Speaker
from sidetone.audio.engine_stats import EngineStats, Heard, heard, read_stats
from sidetone.audio.hooks import Hooks
from sidetone.audio.loops import Loop
from sidetone.audio.memory import CaptureMemory, PlaybackMemory, SideRings
from sidetone.audio.playback import run_playback
from sidetone.audio.rings import STALE_NS, Ring, put_bytes
from sidetone.audio.settings import VOLUME_PERCENT_MAX, Suppression, VoiceSettings
from sidetone.audio.timeline import Spoken
from sidetone.audio.wake import close_wake, open_wake
from sidetone.e2ee.audio_frames import REFUSALS
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.native import Record
from sidetone.native.clock import now_ns

CLIP_SECONDS_MAX: Final = 60.0
_GAIN_MAX: Final = 3.0


class Engine:
    """The sound of one call: microphone to sealed frames, sealed frames to the speaker.

    Keys are put down in *keys* by whoever keeps the group. *on_failure* is called on an audio
    thread with one line when a device fails; *replace_microphone* and *replace_speaker* then open
    another, or raise ``AudioError`` where there is none. *wake_fd* becomes readable when frames
    wait to be sent; it is -1 where one has to look by oneself.
    """

    def __init__(
        self,
        keys: AudioKeys,
        microphone: Microphone,
        speaker: Speaker,
        *,
        on_failure: Callable[[str], None],
        replace_microphone: Callable[[], Microphone] = NullMicrophone,
        replace_speaker: Callable[[], Speaker] = NullSpeaker,
    ) -> None:
        self._keys = keys
        side = SideRings()
        self._capture = capture = CaptureMemory(keys, side)
        self._playback = playback = PlaybackMemory(keys, side)
        self.wake_fd, self._wake_end = open_wake()
        capture.control.wake_fd = self._wake_end
        # The clip that plays and the one before, which the thread may still be reading.
        self._clips: list[Samples] = []
        self._adaptation = Adaptation(10, adapts=True)
        self._hooks = Hooks(capture.processing, on_failure)
        self._inputs = Loop(
            "microphone",
            lambda stream, generation: run_capture(capture.parts, stream, generation),
            capture.words,
            microphone,
            replace_microphone,
            on_failure,
        )
        self._outputs = Loop(
            "loudspeaker",
            lambda stream, generation: run_playback(playback.parts, stream, generation),
            playback.words,
            speaker,
            replace_speaker,
            on_failure,
        )
        self.set_voice(VoiceSettings())

    def start(self) -> None:
        """Start both threads; an engine starts once."""
        self._keys.run(running=True)
        self._inputs.start()
        self._outputs.start()

    def stop(self) -> None:
        """Join the threads, then close the devices; blocks for a hop or two, once."""
        self._inputs.stop()
        self._outputs.stop()
        self._keys.run(running=False)
        self._hooks.close()
        ends, self.wake_fd, self._wake_end = (self.wake_fd, self._wake_end), -1, -1
        self._capture.control.wake_fd = -1
        close_wake(*ends)

    # --- frames ---

    def take_sent(self) -> list[bytes]:
        """Take the sealed frames that wait to be sent; those older than 200 ms are dropped."""
        stale_ns = now_ns() - STALE_NS
        return [
            slot.frame[: slot.length].tobytes()
            for slot in self._capture.sent.drain()
            if slot.at_ns > stale_ns
        ]

    def receive(self, frame: bytes, arrival_ns: int) -> None:
        """Take a sealed audio frame from the network; always from one and the same thread.

        Never blocks; beyond 1,024 frames that wait, further ones are dropped and counted.
        """
        put_bytes(self._playback.arrived.slots, self._playback.arrived.words, frame, arrival_ns)

    @property
    def sent(self) -> Ring:
        """The ring that `take_sent` empties, for a kernel that does it instead."""
        return self._capture.sent

    @property
    def arrived(self) -> Ring:
        """The ring that `receive` fills, for a kernel that does it instead, under one lock."""
        return self._playback.arrived

    def report_loss(self, loss_percent: float | None) -> None:
        """Take in what the worst listener loses of us: the encoder is set up accordingly.

        None is not known, as at the beginning of each connection.
        """
        self._adaptation.report(loss_percent)
        self._protect()

    @property
    def loss_reported_percent(self) -> float | None:
        """What the worst listener loses of us, None before anybody has told."""
        return self._adaptation.reported_percent

    def copy_packets(self, wanted: bool) -> None:  # noqa: FBT001
        """Leave a copy of every packet, ours and the others', for a recording, or do no more."""
        copies.copy_packets(self._capture, self._playback, wanted=wanted)

    def take_copies(self) -> list[tuple[int, Spoken]]:
        """Take the copies that were left, each with its sender, or `copies.OWN`."""
        return copies.take_copies(self._capture, self._playback)

    # --- who and where ---

    def forget(self, sender: int) -> None:
        """Free a speaker who has left, and the gains set for them."""
        self.set_gains(sender, 1.0, 1.0)
        self._playback.forgets[sender] = 1

    def set_gains(self, sender: int, left: float, right: float) -> None:
        """Make one speaker louder or softer on each side, 0 to 3: twice as loud, at one ear."""
        self._playback.gains[2 * sender] = min(max(left, 0.0), _GAIN_MAX)
        self._playback.gains[2 * sender + 1] = min(max(right, 0.0), _GAIN_MAX)

    def use_microphone(self, microphone: Microphone) -> None:
        """Go over to another microphone; the one before is closed."""
        self._inputs.use(microphone)

    def use_speaker(self, speaker: Speaker) -> None:
        """Go over to another loudspeaker; the one before is closed."""
        self._outputs.use(speaker)

    # --- our voice ---

    def set_voice(self, settings: VoiceSettings) -> None:
        """Capture and encode by *settings*, from the next frame on."""
        control, processing = self._capture.control, self._capture.processing
        control.bitrate = int(settings.bitrate)
        control.complexity_max = settings.complexity
        control.dtx = settings.dtx
        processing.suppression = int(settings.suppression)
        processing.gain_control = settings.gain_control
        processing.target_db = settings.target_db
        processing.input_volume = settings.input_volume_percent / 100
        processing.activation = int(settings.activation)
        processing.threshold_db = settings.threshold_db
        processing.hangover_ms = settings.hangover_ms
        processing.release_ms = settings.release_ms
        self._adaptation = Adaptation(settings.frame_ms, adapts=settings.adapts)
        self._protect()
        self._hooks.want(
            noise=settings.suppression is Suppression.MAX, echo=settings.echo_cancellation
        )

    def _protect(self) -> None:
        protection = self._adaptation.protection
        self._capture.control.loss_percent = protection.loss_percent
        self._capture.control.frame_samples = protection.frame_samples

    @property
    def muted(self) -> bool:
        """Whether the microphone is off."""
        return bool(self._capture.processing.muted)

    def set_muted(self, muted: bool) -> None:  # noqa: FBT001
        """Switch the microphone off or on, from the next hop."""
        self._capture.processing.muted = int(muted)

    def set_sending(self, sending: bool) -> None:  # noqa: FBT001
        """Let what is said be sent, or not: there is no connection, or no right to speak."""
        self._capture.control.sends = int(sending)

    def push_to_talk(self, pushed: bool) -> None:  # noqa: FBT001
        """Note that the key is held down, or was let go."""
        self._capture.processing.pushed = int(pushed)

    @property
    def not_sent(self) -> tuple[int, int]:
        """How many frames of speech were not to be sent, and how many could not be sealed."""
        control = self._capture.control
        return int(control.frames_unsent), int(control.frames_unsealed)

    @property
    def not_sealed_why(self) -> str:
        """Why the last frame that could not be sealed was not."""
        return REFUSALS.get(int(self._capture.control.refusal), "no_epoch")

    def withhold_loudness(self, withheld: bool) -> None:  # noqa: FBT001
        """Do not tell the voice node how loud we are."""
        self._capture.control.withholds_loudness = int(withheld)

    @property
    def is_heard(self) -> bool:
        """Whether the last frame was speech, or a clip, and was sent."""
        return bool(self._capture.control.open_before)

    @property
    def level_db(self) -> float:
        """Level of the microphone in the last hop, dBFS, also while muted."""
        return float(self._capture.processing.level_db)

    def play_clip(self, samples: Samples, gain: float = 1.0) -> int:
        """Mix a clip of 48 kHz mono into what we say; returns its number, see `clip_played`.

        Another clip replaces it. Raises ``AudioError`` for more than a minute.
        """
        if samples.size > CLIP_SECONDS_MAX * SAMPLE_RATE:
            raise AudioError(f"a clip may last {CLIP_SECONDS_MAX:g} seconds; shorten it")
        control = self._capture.control
        control.clip_samples = 0
        clip = np.ascontiguousarray(samples, np.float32)
        self._clips = [*self._clips[-1:], clip]
        control.clip = clip.ctypes.data
        control.clip_gain = gain
        control.clip_serial += 1
        control.clip_samples = samples.size
        return int(control.clip_serial)

    def stop_clip(self) -> None:
        """End the clip that plays."""
        self._capture.control.clip_samples = 0

    @property
    def clips_played(self) -> int:
        """The number of the last clip that was said to its end."""
        return int(self._capture.control.clips_played)

    # --- what we hear ---

    @property
    def deafened(self) -> bool:
        """Whether the loudspeaker is off."""
        return bool(self._playback.control.deafened)

    def set_deafened(self, deafened: bool) -> None:  # noqa: FBT001
        """Switch the loudspeaker off or on, from the next hop."""
        self._playback.control.deafened = int(deafened)

    def set_output_volume(self, percent: int) -> None:
        """Make everything louder or softer, 0 to 200 %."""
        self._playback.control.output_volume = _gain(percent)

    def set_sidetone(self, percent: int) -> None:
        """Hear yourself as the others would, after all processing; 0 is not at all."""
        self._playback.control.own_volume = _gain(percent)

    # --- what happened ---

    @property
    def first_opened_ns(self) -> int:
        """When the first frame since `await_first` was opened; 0 before."""
        return int(self._playback.control.first_opened_ns)

    def set_taps(self, tapped: bool) -> None:  # noqa: FBT001
        """Leave copies of every speaker's sound for `take_tapped`, or do not."""
        self._playback.control.taps = int(tapped)

    def take_tapped(self) -> list[Record]:
        """Take the copies that wait, HOP_SLOT records; what found no room is lost."""
        return self._playback.tapped.drain()

    def heard(self) -> dict[int, Heard]:
        """Tell of all who were heard in the last 2 s, by sender."""
        return heard(self._playback.speakers)

    def await_first(self) -> None:
        """Note the first frame that is opened from now on."""
        self._playback.control.first_opened_ns = 0

    @property
    def priority(self) -> str:
        """What the system gave the two threads, in words."""
        given = (self._inputs.priority, self._outputs.priority)
        return "; ".join(sorted({str(each) for each in given if each is not None}))

    def stats(self) -> EngineStats:
        """Return a snapshot of all counters; from any thread."""
        names = (self._inputs.device.name, self._outputs.device.name)
        streams = (self._inputs.device.stream, self._outputs.device.stream)
        return read_stats(self._capture, self._playback, names, streams)


def _gain(percent: int) -> float:
    return min(max(percent, 0), VOLUME_PERCENT_MAX) / 100
