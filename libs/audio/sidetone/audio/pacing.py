"""Keep the delay of a speaker near its target by playing a little faster or slower."""

import math

from sidetone.audio import HOP_MS, HOP_SAMPLES, lateness, waiting
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


@kernel(signature("void", JITTER, "float64", "int64"))
def _shorten(jitter: Record, excess: float, rest: int) -> None:
    """Cut a period out, but none so long that it would have to be put back.

    A frame is decoded for the first hop that needs a sample of it, so that the delay changes by
    whole hops, and one sample more than *rest* and some hops makes it one hop more.
    """
    while jitter.ahead_samples < _AHEAD_SAMPLES and jitter.started:
        if waiting.find(jitter.waiting, jitter.next_index) < 0:
            break
        decode_next(jitter)
    lag_max = rest + int(excess / HOP_MS) * HOP_SAMPLES
    end = PAST_SAMPLES + jitter.ahead_samples
    _book(jitter, end, accelerate(jitter.sound, PAST_SAMPLES, end, lag_max))


@kernel(signature("void", JITTER, "float64", "int64"))
def _lengthen(jitter: Record, excess: float, rest: int) -> None:
    """Repeat a period, at first none so long that it would have to be cut out again."""
    lag_max = LAG_MAX
    if jitter.wish_ms < _URGENT_MS:
        hops = int((_SLACK_LONG_MS - excess) / HOP_MS)
        lag_max = min(LAG_MAX, (hops + 1) * HOP_SAMPLES - rest - 1)
    end = PAST_SAMPLES + jitter.ahead_samples
    _book(jitter, end, expand(jitter.sound, PAST_SAMPLES, end, lag_max))


@kernel(signature("float64", JITTER))
def _slack_ms(jitter: Record) -> float:
    frame_ms = jitter.frame_samples / SAMPLES_PER_MS
    return _SLACK_SHARE * lateness.wait_ms(jitter.lateness, frame_ms)


@kernel(signature("void", JITTER, "float64"))
def skip_beginning(jitter: Record, excess: float) -> None:
    """Leave out of a talkspurt's beginning what would make all of it late, a frame at most.

    Speakers send the frame before speech together with the first of speech, a frame later than
    any other. Played whole, it would cost that delay until a period is cut out of the voice,
    which is heard (PESQ-WB 4.16 without the cut, 3.68 with it); before it there is only silence.
    """
    late_ms = excess - _SLACK_LONG_MS - _slack_ms(jitter)
    if late_ms <= 0.0:
        return
    samples = min(math.ceil(late_ms / HOP_MS) * HOP_SAMPLES, jitter.frame_samples)
    samples = min(samples, jitter.ahead_samples)
    end = PAST_SAMPLES + jitter.ahead_samples
    for i in range(PAST_SAMPLES, end - samples):
        jitter.sound[i] = jitter.sound[i + samples]
    jitter.ahead_samples -= samples
    jitter.faded = True


@kernel(signature("void", JITTER, "float64", "int64"))
def pace(jitter: Record, excess: float, rest: int) -> None:
    """Stretch what is in store if the delay has been off, in one direction, for long enough.

    *rest* samples, less than a hop, were in store when the next frame was decoded.

    The slack is a hop above the target, because playing begins at a hop, and little below; both
    grow with the target, whose estimate then wavers. What is too short can soon be heard, so it
    is mended after 30 ms; what is too long only after 100 ms, unless it is far too long.
    """
    frame_ms = jitter.frame_samples / SAMPLES_PER_MS
    slack_ms = _slack_ms(jitter)
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
        _shorten(jitter, excess, rest)
    else:
        _lengthen(jitter, excess, rest)
