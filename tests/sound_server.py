"""A sound card for tests that have none: a private PulseAudio with virtual devices.

The virtual loudspeaker is the sink ``ear``, what it plays is the source ``ear.monitor``. The
virtual microphone hears what is played to the sink ``mouth``. While a server is `chosen`, both are
the defaults of PortAudio in this process. A test that kills a server starts one of its own.
"""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.engines import Engine, missing, new_folder, version_of, versions

MOUTH = "mouth"
MOUTH_MONITOR = "mouth.monitor"
EAR_MONITOR = "ear.monitor"
FORMAT = ("--raw", "--format=float32le", "--rate=48000", "--channels=1")

_DEVICES = """
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=ear format=float32le rate=48000 channels={channels}
load-module module-null-sink sink_name=mouth format=float32le rate=48000 channels=1
load-module module-remap-source source_name=microphone master=mouth.monitor channels=1
set-default-sink ear
set-default-source microphone
"""
_SETTINGS = """
default-sample-rate = 48000
alternate-sample-rate = 48000
default-fragment-size-msec = 5
realtime-scheduling = yes
realtime-priority = 30
flat-volumes = no
"""
_ALSA = """
pcm.!default {{ type pulse server "{url}" }}
ctl.!default {{ type pulse server "{url}" }}
"""


class SoundServer:
    """A running PulseAudio."""

    def __init__(self, channels: int = 1) -> None:
        if find_spec("pyaudio") is None:
            missing("PyAudio", "apt-get install portaudio19-dev, then touch pyproject.toml")
        programs = [shutil.which(name) for name in ("pulseaudio", "pactl", "pacat", "parec")]
        if None in programs or not list(Path("/usr/lib").glob("*/alsa-lib/*_pcm_pulse.so")):
            missing("PulseAudio", "apt-get install pulseaudio pulseaudio-utils libasound2-plugins")
        self._folder = new_folder("pulse")
        self.url = f"unix:{self._folder / 'socket'}"
        socket = self._folder / "socket"
        (self._folder / "devices").write_text(_DEVICES.format(socket=socket, channels=channels))
        (self._folder / "daemon.conf").write_text(_SETTINGS)
        (self._folder / "asound.conf").write_text(_ALSA.format(url=self.url))
        places = (
            f"{name}={self._folder}" for name in ("HOME", "XDG_RUNTIME_DIR", "PULSE_CONFIG_PATH")
        )
        command = ["env", *places, str(programs[0]), "-n", "--daemonize=no"]
        command += [
            "--use-pid-file=no",
            "--exit-idle-time=-1",
            "-F",
            str(self._folder / "devices"),
        ]
        self._engine = Engine(self.url, command, self._folder, self._answers)
        self._engine.start()
        versions["PulseAudio"] = version_of([str(programs[0]), "--version"])

    @contextmanager
    def chosen(self) -> Generator[None]:
        """Let PortAudio, started inside the block, find this server's devices as the defaults."""
        before = os.environ.get("ALSA_CONFIG_PATH")
        os.environ["ALSA_CONFIG_PATH"] = str(self._folder / "asound.conf")
        try:
            yield
        finally:
            del os.environ["ALSA_CONFIG_PATH"]
            if before is not None:
                os.environ["ALSA_CONFIG_PATH"] = before

    def play(self, sound: NDArray[np.float32], sink: str = MOUTH) -> "subprocess.Popen[bytes]":
        """Start to play *sound*; the caller waits for the process."""
        path = self._folder / "sound"
        path.write_bytes(sound.astype("<f4").tobytes())
        command = ["pacat", "-s", self.url, "-p", "-d", sink, *FORMAT, "--latency-msec=200"]
        return subprocess.Popen([*command, str(path)], stderr=subprocess.DEVNULL)

    def record(self, source: str) -> "subprocess.Popen[bytes]":
        """Start to record; the sound comes out of the process's standard output."""
        command = ["parec", "-s", self.url, "-d", source, *FORMAT, "--latency-msec=4"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def start(self) -> None:
        """Start the server again, with the same devices."""
        self._engine.start()

    def kill(self) -> None:
        """End the server as a crash would."""
        self._engine.kill()

    def stop(self) -> None:
        """End the server."""
        self._engine.stop()

    def _answers(self) -> bool:
        asked = subprocess.run(
            ["pactl", "-s", self.url, "info"], capture_output=True, text=True, check=False
        )
        return "Default Source: microphone" in asked.stdout


@cache
def sound_server() -> SoundServer:
    """Return a server that runs until this process ends."""
    return SoundServer()
