"""Keep the delay of a speaker near its target by playing a little faster or slower."""

from sidetone.audio import HOP_MS, lateness, waiting
from sidetone.audio.arrivals import media_ms
from sidetone.audio.decoding import decode_next
from sidetone.audio.jitter_state import JITTER, PAST_SAMPLES, SAMPLES_PER_MS
from sidetone.audio.stretch import LAG_MAX, accelerate, expand
from sidetone.native import Record, kernel, signature

_SLACK_LONG_MS = HOP_MS + 1.0
_SLACK_SHORT_MS = 1.0
_SLACK_SHARE = 0.05
_FAR_MS = 20.0
_SOON_MS = 30.0
_PATIENT_MS = 100.0
_URGENT_MS = 500.0
_AHEAD_SAMPLES = 960


@kernel(signature("float64", JITTER, "float64"))
def excess_ms(jitter: Record, now_ms: float) -> float:
    """Say how much later than aimed at the next frame is being decoded.

    What a late packet has made of the delay is not too much while others may be as late.
    """
    frame_ms = jitter.frame_samples / SAMPLES_PER_MS
    waited_ms = now_ms - jitter.lateness.base_ms - media_ms(jitter, jitter.next_index)
    excess = waited_ms - lateness.wait_ms(jitter.lateness, frame_ms)
    return min(excess, max(waited_ms - jitter.lateness.peak_ms, 0.0))


@kernel(signature("void", JITTER, "int64", "int64"))
def _book(jitter: Record, before: int, after: int) -> None:
    if before == after:
        return
    jitter.ahead_samples = after - PAST_SAMPLES
    jitter.stretched += 1
    jitter.stretched_ms += abs(after - before) / SAMPLES_PER_MS
    jitter.wish_ms = 0.0


@kernel(signature("void", JITTER, "float64"))
def _shorten(jitter: Record, excess: float) -> None:
    """Cut a period out, but none so long that it would have to be put back."""
    while jitter.ahead_samples < _AHEAD_SAMPLES and jitter.started:
        if waiting.find(jitter.waiting, jitter.next_index) < 0:
            break
        decode_next(jitter)
    lag_max = int((excess - _SLACK_SHORT_MS) * SAMPLES_PER_MS)
    end = PAST_SAMPLES + jitter.ahead_samples
    _book(jitter, end, accelerate(jitter.sound, PAST_SAMPLES, end, lag_max))


@kernel(signature("void", JITTER, "float64"))
def _lengthen(jitter: Record, excess: float) -> None:
    """Repeat a period, at first none so long that it would have to be cut out again."""
    lag_max = LAG_MAX
    if jitter.wish_ms < _URGENT_MS:
        lag_max = int((_SLACK_LONG_MS - _SLACK_SHORT_MS - excess) * SAMPLES_PER_MS)
    end = PAST_SAMPLES + jitter.ahead_samples
    _book(jitter, end, expand(jitter.sound, PAST_SAMPLES, end, lag_max))


@kernel(signature("void", JITTER, "float64"))
def pace(jitter: Record, excess: float) -> None:
    """Stretch what is in store if the delay has been off, in one direction, for long enough.

    The slack is a hop above the target, because playing begins at a hop, and little below; both
    grow with the target, whose estimate then wavers. What is too short can soon be heard, so it
    is mended after 30 ms; what is too long only after 100 ms, unless it is far too long.
    """
    frame_ms = jitter.frame_samples / SAMPLES_PER_MS
    slack_ms = _SLACK_SHARE * lateness.wait_ms(jitter.lateness, frame_ms)
    wish = 0
    if excess > _SLACK_LONG_MS + slack_ms:
        wish = 1
    elif excess < -_SLACK_SHORT_MS - 0.4 * slack_ms:
        wish = -1
    jitter.wish_ms = jitter.wish_ms + frame_ms if wish != 0 and wish == jitter.wish else 0.0
    jitter.wish = wish
    soon = wish < 0 or excess > _FAR_MS
    if wish == 0 or jitter.wish_ms < (_SOON_MS if soon else _PATIENT_MS):
        return
    if wish > 0:
        _shorten(jitter, excess)
    else:
        _lengthen(jitter, excess)
