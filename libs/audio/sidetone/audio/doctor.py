"""What a player, or whoever helps one, wants to know when there is no sound: tried, not guessed.

Importing this compiles nothing, so that `examine` can show how far the compiler is.
"""

import importlib
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sidetone.audio import AudioError
from sidetone.audio.warm import Progress, warm_up

if TYPE_CHECKING:
    from sidetone.audio import self_test

SELF_TEST_SECONDS: Final = 5.0
_SILENT_DB: Final = -70.0
_LATE_MS: Final = 5.0
_SLOW_US: Final = 5_000.0
_LOST_SHARE: Final = 0.02
# A device may stumble while it starts.
_STUTTERS_MANY: Final = 3


@dataclass(frozen=True, slots=True)
class Kernels:
    """The compiled functions: how many, how many of them compiled just now, in what time."""

    count: int
    compiled: int
    seconds: float


@dataclass(slots=True)
class Diagnosis:
    """Everything that was found out. *impossible* says why there can be no sound at all."""

    kernels: Kernels | None = None
    test: "self_test.Report | None" = None
    impossible: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain values, for a file."""
        return asdict(self)


def examine(progress: Progress | None = None, seconds: float = SELF_TEST_SECONDS) -> Diagnosis:
    """Find out everything; takes *seconds*, and as long as the kernels need."""
    found = Diagnosis()
    try:
        found.kernels = _count_kernels(warm_up(progress))
        tests: Any = importlib.import_module("sidetone.audio.self_test")
        found.test = tests.run(seconds)
    except AudioError as error:
        found.impossible = str(error)
    else:
        if found.test is not None and not found.test.voice.packets_received:
            found.impossible = "the test voice did not arrive; please report this"
    return found


def describe(found: Diagnosis) -> list[str]:
    """Say it in words that a player understands, each a line."""
    if found.impossible:
        return [f"Sound is not possible: {found.impossible}."]
    lines = [_on_kernels(found.kernels)] if found.kernels is not None else []
    if found.test is not None:
        lines += [*_on_devices(found.test), *_on_voice(found.test.voice)]
        lines += [f"Priority: {found.test.priority}."]
        lines += [f"During the test: {failure}." for failure in found.test.failures]
    return lines


def _count_kernels(seconds: float) -> Kernels:
    made: dict[int, Any] = {
        id(value): value
        for name, module in sys.modules.copy().items()
        if name.startswith("sidetone.")
        for value in vars(module).values()
        if hasattr(value, "py_func") and value.overloads
    }
    compiled = sum(sum(each.stats.cache_misses.values()) for each in made.values())
    return Kernels(len(made), compiled, seconds)


def _on_devices(test: "self_test.Report") -> list[str]:
    if test.no_devices:
        return [f"No devices: {test.no_devices}.", "The test ran on silent ones instead."]
    lines = [
        f"{device.direction.capitalize()}: {device.id}, {device.channels_max} channels, "
        f"{device.rate_default} Hz, latency {device.latency_low_ms:.0f} ms"
        + (" (default)" if device.is_default else "")
        for device in test.devices
    ]
    lines.append(_on_device("microphone", test.microphone))
    lines.append(_on_device("loudspeaker", test.loudspeaker))
    return lines


def _on_device(kind: str, device: "self_test.DeviceReport") -> str:
    if device.problem:
        return f"{device.problem[:1].upper()}{device.problem[1:]}."
    name = f"Your {kind} “{device.name}”"
    if device.level_db is not None and device.level_db < _SILENT_DB:
        return (
            f"{name} hears nothing: see whether it is muted, by a switch or in the system's "
            "settings, and whether programs may use it."
        )
    stutters = device.missed + device.xruns
    if stutters > _STUTTERS_MANY:
        return (
            f"{name} works, but stuttered {stutters} times: close what keeps "
            "the machine busy, or try another USB port."
        )
    level = f" (loudest {device.level_db:.0f} dB)" if device.level_db is not None else ""
    detour = "" if device.direct else "; it is reached by a detour, which costs some delay"
    return f"{name} works{level}{detour}."


def _on_kernels(kernels: Kernels) -> str:
    if kernels.compiled:
        return (
            f"Compiled functions: {kernels.count}, {kernels.compiled} of them compiled just now, "
            f"in {kernels.seconds:.1f} s; the next start is faster."
        )
    return f"Compiled functions: {kernels.count}, loaded in {kernels.seconds:.1f} s."


def _on_voice(voice: "self_test.VoiceReport") -> list[str]:
    if voice.delay_ms is None:
        heard = "Test voice: it arrived, but not clearly; the machine is very busy."
    else:
        heard = (
            f"Test voice: heard {voice.delay_ms:.0f} ms after it was spoken, "
            f"{voice.concealed_ms:.0f} of {voice.seconds * 1000:.0f} ms made up."
        )
    work = (
        f"Work: 10 ms of sound take {voice.cpu_capture_us / 1000:.2f} ms to say and "
        f"{voice.cpu_playback_us / 1000:.2f} ms to hear."
    )
    lines = [heard, work]
    if voice.lateness_ms > _LATE_MS:
        lines.append(
            f"The audio thread was up to {voice.lateness_ms:.0f} ms late: close what keeps the "
            "machine busy, or let this program have real-time priority."
        )
    if voice.cpu_capture_us + voice.cpu_playback_us > _SLOW_US:
        lines.append("This machine is slow for sound: switch noise suppression off.")
    if voice.packets_received < (1 - _LOST_SHARE) * voice.packets_sent:
        lines.append(
            f"Of {voice.packets_sent} packets only {voice.packets_received} arrived within this "
            "machine: it is too busy."
        )
    return lines
