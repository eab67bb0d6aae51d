"""How a call fares, in words: what people can act upon, made of what the engine counts."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from sidetone.desktop.domain.preferences import Preferences
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.ids import UserId

# `preparing`: sound is being made ready, which takes a while the first time on a machine.
Phase: TypeAlias = Literal["none", "preparing", "joining", "live", "reconnecting"]
Quality: TypeAlias = Literal["unknown", "excellent", "good", "delayed", "choppy"]
# `new`: seen for the first time in this call, and remembered from now on.
Shield: TypeAlias = Literal["verified", "known", "new", "changed"]

VOLUME_PERCENT: Final = 100
# What people notice (ITU-T G.114 for the delay; one way is about half of a round trip).
_EXCELLENT_RTT_MS: Final = 80.0
_DELAYED_RTT_MS: Final = 300.0
_EXCELLENT_LOSS_PERCENT: Final = 1.0
_CHOPPY_LOSS_PERCENT: Final = 5.0
_EXCELLENT_JITTER_MS: Final = 30.0
_CHOPPY_JITTER_MS: Final = 120.0
_FLOOR_DB: Final = -60.0


class Counts(msgspec.Struct, frozen=True):
    """What came of one speaker since they were first heard, and how it comes now."""

    received: int = 0
    lost: int = 0
    concealed_ms: float = 0.0
    jitter_ms: float = 0.0
    buffer_ms: float = 0.0
    level_db: float = _FLOOR_DB


class Figures(msgspec.Struct, frozen=True):
    """One moment of a call; losses are those of the last second or so, in percent."""

    rtt_ms: float | None = None
    lost_percent: float = 0.0
    others_lose_percent: float = 0.0
    jitter_ms: float = 0.0
    buffer_ms: float = 0.0
    bitrate: int = 0
    frame_ms: int = 0
    cpu_capture_us: float = 0.0
    cpu_playback_us: float = 0.0
    reconnects: int = 0
    microphone: str = ""
    speaker: str = ""
    people: Mapping[UserId, Counts] = {}


def lost_percent(before: Mapping[UserId, Counts], now: Mapping[UserId, Counts]) -> float:
    """Return which share of all that was said between two looks did not come.

    Who fell silent was freed by the engine, and is counted from zero when they speak again.

    >>> from uuid import UUID
    >>> nova = UserId(UUID(int=1))
    >>> lost_percent({nova: Counts(100, 0)}, {nova: Counts(190, 10)})
    10.0
    """
    received = lost = 0
    for user, counts in now.items():
        earlier = before.get(user, Counts())
        if counts.received < earlier.received:
            earlier = Counts()
        received += counts.received - earlier.received
        lost += max(0, counts.lost - earlier.lost)
    return 100.0 * lost / (received + lost) if received + lost else 0.0


def quality(figures: Figures | None) -> Quality:
    """Judge a call by its worst figure."""
    if figures is None or figures.rtt_ms is None:
        return "unknown"
    lost = max(figures.lost_percent, figures.others_lose_percent)
    if lost >= _CHOPPY_LOSS_PERCENT or figures.jitter_ms >= _CHOPPY_JITTER_MS:
        return "choppy"
    if figures.rtt_ms >= _DELAYED_RTT_MS:
        return "delayed"
    clean = lost < _EXCELLENT_LOSS_PERCENT and figures.jitter_ms < _EXCELLENT_JITTER_MS
    return "excellent" if clean and figures.rtt_ms < _EXCELLENT_RTT_MS else "good"


def quality_words(figures: Figures | None) -> str:
    """Say how a call fares in as few words as are true."""
    match quality(figures):
        case "excellent":
            return tr("Excellent")
        case "good":
            return tr("Good")
        case "delayed" if figures is not None:
            return tr("Delayed: {ms} ms there and back", ms=round(figures.rtt_ms or 0))
        case "choppy" if figures is not None:
            lost = max(figures.lost_percent, figures.others_lose_percent)
            if lost < _CHOPPY_LOSS_PERCENT:
                return tr("Choppy: up to {ms} ms late", ms=round(figures.jitter_ms))
            return tr("Choppy: {percent} % lost", percent=round(lost))
        case _:
            return tr("Measuring …")


def with_volume(preferences: Preferences, user: UserId, percent: int) -> Preferences:
    """Return *preferences* in which *user* is so loud; who is as loud as all is not kept."""
    volumes = {who: of for who, of in preferences.voice.volumes.items() if who != user}
    if percent != VOLUME_PERCENT:
        volumes[user] = percent
    voice = msgspec.structs.replace(preferences.voice, volumes=volumes)
    return msgspec.structs.replace(preferences, voice=voice)


def phase_words(phase: Phase) -> str:
    """Say how the connection to a call is."""
    match phase:
        case "none":
            return tr("Not connected")
        case "preparing":
            return tr("Preparing sound")
        case "joining":
            return tr("Connecting")
        case "live":
            return tr("Connected")
        case "reconnecting":
            return tr("Reconnecting")


def shield_words(shield: Shield) -> str:
    """Say what is known of somebody's key."""
    match shield:
        case "verified":
            return tr("Verified: you compared your numbers")
        case "known":
            return tr("Known: the same key as before")
        case "new":
            return tr("New: you are in a call with them for the first time")
        case "changed":
            return tr("Changed key: confirm it before you speak")


def level_share(level_db: float) -> float:
    """Return how far a meter of 60 dB is filled, 0 to 1.

    >>> level_share(-30.0), level_share(-90.0), level_share(3.0)
    (0.5, 0.0, 1.0)
    """
    return min(max(1.0 - level_db / _FLOOR_DB, 0.0), 1.0)


def grouped(digits: str) -> list[str]:
    """Return *digits* in rows of three groups of five, which people can read to each other.

    >>> grouped("12345 678901234567890")
    ['12345 67890 12345', '67890']
    """
    bare = "".join(digits.split())
    groups = [bare[at : at + 5] for at in range(0, len(bare), 5)]
    return [" ".join(groups[at : at + 3]) for at in range(0, len(groups), 3)]
