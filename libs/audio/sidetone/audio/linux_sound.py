"""What Linux' sound libraries are told before PortAudio loads them: to be quiet, not to hang."""

import atexit
import ctypes
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_QUIET: Final = (
    ("libasound.so.2", "snd_lib_error_set_handler"),
    ("libjack.so.0", "jack_set_error_function"),
    ("libjack.so.0", "jack_set_info_function"),
)
_SYSTEM: Final = Path("/etc/pulse/client.conf")


def hush() -> None:
    """Keep ALSA and JACK, which PortAudio asks for every device, from writing to the terminal.

    Their handlers are called from audio threads, so they may not be Python: a C function that
    ignores what it is given does nothing, which is what is wanted.
    """
    nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    for library, setter in _QUIET:
        with suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(library), setter)(nothing)


def share_no_memory() -> None:
    """Have PulseAudio send its sound through the socket, where the user has not said otherwise.

    With shared memory, the end of the server leaves libpulse waiting for a piece of sound to be
    given back while it keeps everyone from giving it back: the capture loop would hang for ever.
    """
    if "PULSE_CLIENTCONFIG" in os.environ:
        return
    own = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "pulse/client.conf"
    present = own if own.is_file() else _SYSTEM
    parts = [present, *sorted(present.with_name("client.conf.d").glob("*.conf"))]
    handle, name = tempfile.mkstemp(prefix="sidetone-pulse-", suffix=".conf")
    with open(handle, "w") as file:  # noqa: PTH123 - it is open already
        file.writelines(f".include {part}\n" for part in parts if part.is_file())
        file.write("enable-shm = no\n")
    atexit.register(Path(name).unlink, missing_ok=True)
    os.environ["PULSE_CLIENTCONFIG"] = name
