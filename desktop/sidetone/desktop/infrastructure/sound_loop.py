"""One's own voice from the microphone to the loudspeaker, through all that a call does to it."""

import threading
from typing import TYPE_CHECKING

from sidetone.desktop.application.sound_devices import OpenSound
from sidetone.desktop.domain.preferences import Voice
from sidetone.desktop.infrastructure.sound_devices import Devices

if TYPE_CHECKING:
    from sidetone.audio.engine import Engine

_OWN_VOICE_PERCENT = 100


class EngineLoop:
    """An engine that is in no call and hears its own microphone."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._engine: Engine | None = None
        self._sound: OpenSound | None = None
        self._lock = threading.Lock()

    def start(self, voice: Voice) -> list[str]:
        """Begin; return lines for the user about what could not be had."""
        with self._lock:
            if self._sound is None:
                self._sound = self._devices.open(voice)
                self._engine = self._running(self._sound, voice)
            return self._sound.problems

    def stop(self) -> None:
        """End; a second time does nothing."""
        with self._lock:
            engine, self._engine = self._engine, None
            sound, self._sound = self._sound, None
            if engine is not None:
                engine.stop()
            if sound is not None:
                sound.close()

    @property
    def level_db(self) -> float | None:
        """The level of the microphone in dBFS, None while it does not run."""
        engine = self._engine
        return engine.level_db if engine is not None else None

    def _running(self, sound: OpenSound, voice: Voice) -> "Engine":
        from sidetone.audio.warm import warm_up  # noqa: PLC0415 - kernels, see `sound_devices`

        warm_up()
        from sidetone.audio.engine import Engine  # noqa: PLC0415
        from sidetone.e2ee.audio_keys import AudioKeys  # noqa: PLC0415
        from sidetone.native.clock import now_ns  # noqa: PLC0415

        keys = AudioKeys(lambda _: now_ns())
        engine = Engine(keys, sound.microphone, sound.speaker, on_failure=lambda _: None)
        engine.set_voice(self._devices.settings(voice))
        engine.set_sidetone(_OWN_VOICE_PERCENT)
        engine.set_output_volume(voice.output_percent)
        engine.start()
        return engine
