"""All that a listener keeps of one speaker, in one record: what `jitter` works on."""

from typing import Final

import numpy as np

from sidetone.audio import SAMPLE_RATE
from sidetone.audio.epochs import EPOCHS
from sidetone.audio.lateness import LATENESS
from sidetone.audio.stretch import LAG_MAX
from sidetone.audio.waiting import PACKETS_MAX, WAITING
from sidetone.native import layout

SAMPLES_PER_MS: Final = SAMPLE_RATE / 1000
DURATION_MAX_SAMPLES: Final = 2880
"""The longest packet that is taken: 60 ms."""
CONCEAL_SAMPLES: Final = 2400
FADE_SAMPLES: Final = 2400
"""After 50 ms what Opus invents is hardly speech any more: it fades within 50 more."""
BACKLOG_MAX_SAMPLES: Final = 11520
"""Beyond 240 ms a stream is not late but elsewhere, or nowhere."""
PAST_SAMPLES: Final = LAG_MAX
AHEAD_MAX_SAMPLES: Final = DURATION_MAX_SAMPLES + 960 + LAG_MAX

JITTER: Final = layout(
    received=np.int64,
    lost=np.int64,
    fec_recovered=np.int64,
    concealed=np.int64,
    concealed_ms=np.float64,
    late=np.int64,
    duplicates=np.int64,
    malformed=np.int64,
    stretched=np.int64,
    stretched_ms=np.float64,
    resyncs=np.int64,
    depth_ms=np.float64,
    target_ms=np.float64,
    jitter_ms=np.float64,
    loss=np.float64,
    level_db=np.float64,
    playing=np.bool_,
    decoder=np.uint64,
    started=np.bool_,
    faded=np.bool_,
    next_index=np.int64,
    origin_index=np.int64,
    end_index=np.int64,
    frame_samples=np.int64,
    invented_samples=np.int64,
    credit_samples=np.int64,
    late_run=np.int64,
    missed=(np.int64, (PACKETS_MAX,)),
    missed_at=np.int64,
    wish=np.int64,
    wish_ms=np.float64,
    ahead_samples=np.int64,
    sound=(np.float32, (PAST_SAMPLES + AHEAD_MAX_SAMPLES,)),
    epochs=EPOCHS,
    lateness=LATENESS,
    waiting=WAITING,
)
"""Counters and delays up to *playing* are to be read by anybody, the rest by the kernels alone.

*lost* frames were not there when due; of these *fec_recovered* were read from the copy in the
next packet, and *late* came afterwards. *concealed* were invented. *duplicates* came before,
*malformed* was no Opus, or no sound when decoded. *depth_ms* is the sound in store, *jitter_ms*
the 95th percentile of lateness, *target_ms* the delay aimed at, the frame counted. *loss* is the
share of frames lost in the last seconds, *level_db* the RMS level of what was pulled last.

*started*: frames are being consumed, from *next_index* on. *origin_index* is the packet since
which all have *frame_samples*, without a pause: media time is counted from there. *end_index* is
the last known end of a talkspurt. *invented_samples* is what was invented in a row,
*credit_samples* what of it stands for no packet yet. *wish* is the direction in which the delay
has been off for *wish_ms*. *sound* holds 600 samples that were played, then *ahead_samples* to
come. *faded*: silence was invented, or time jumped, so that what comes next fades in.
"""
