"""The sound of somebody calling: two soft tones, made here and played by the audio core.

There is no second way to a loudspeaker: an engine that is in no call hears its own microphone,
which is the ringing.
"""

import threading
from typing import TYPE_CHECKING, Any

from sidetone.desktop.domain.preferences import Voice
from sidetone.desktop.infrastructure.sound_devices import Devices

if TYPE_CHECKING:
    from sidetone.audio.engine import Engine

_SECONDS = 3.0
_TONE_SECONDS = 0.45
_TONES_HZ = (587.33, 783.99)
_LOUDNESS = 0.12
_FADE_SECONDS = 0.02


class EngineRinger:
    """Rings on the loudspeaker that is chosen for calls."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    def start(self, voice: Voice) -> None:
        """Ring until ``stop``; where there is no loudspeaker it is still."""
        with self._lock:
            if self._engine is None:
                self._engine = _ringing(self._devices, voice)

    def stop(self) -> None:
        """Be silent; a second time does nothing."""
        with self._lock:
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.stop()


def _ringing(devices: Devices, voice: Voice) -> "Engine | None":
    """Return an engine that rings, or None where nobody would hear it."""
    from sidetone.audio import settings  # noqa: PLC0415 - kernels, see `sound_devices`
    from sidetone.audio.devices import MemoryDevice, NullSpeaker  # noqa: PLC0415
    from sidetone.audio.sample_rings import Ring  # noqa: PLC0415
    from sidetone.audio.stream_layout import FILE  # noqa: PLC0415
    from sidetone.audio.warm import warm_up  # noqa: PLC0415

    warm_up()
    from sidetone.audio.engine import Engine  # noqa: PLC0415
    from sidetone.e2ee.audio_keys import AudioKeys  # noqa: PLC0415
    from sidetone.native.clock import now_ns  # noqa: PLC0415

    sound = devices.open_speaker(voice, [])
    if isinstance(sound, NullSpeaker):
        return None
    bell = MemoryDevice("the bell", Ring(_bell(), full=True, again=True), policy=FILE)
    engine = Engine(AudioKeys(lambda _: now_ns()), bell, sound, on_failure=lambda _: None)
    engine.set_voice(
        settings.VoiceSettings(
            suppression=settings.Suppression.OFF,
            gain_control=False,
            activation=settings.Activation.ALWAYS,
        )
    )
    engine.set_sidetone(100)
    engine.set_output_volume(voice.output_percent)
    engine.start()
    return engine


def _bell() -> Any:  # noqa: ANN401 - samples
    """Return two tones one after another and a pause, 48 kHz mono."""
    import numpy as np  # noqa: PLC0415

    from sidetone.audio import SAMPLE_RATE  # noqa: PLC0415

    bell = np.zeros(int(_SECONDS * SAMPLE_RATE), np.float32)
    time = np.arange(int(_TONE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    fade = np.minimum(1.0, np.minimum(time, time[::-1]) / _FADE_SECONDS) * np.exp(-3 * time)
    for index, hertz in enumerate(_TONES_HZ):
        start = int(index * _TONE_SECONDS * SAMPLE_RATE)
        tone = _LOUDNESS * fade * np.sin(2 * np.pi * hertz * time)
        bell[start : start + time.size] = tone.astype(np.float32)
    return bell
