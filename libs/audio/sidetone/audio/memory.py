"""The memory that the two audio threads work in, made once for a call and handed to them."""

from typing import Final

import numpy as np

from sidetone.audio.capture import CAPTURE, CaptureParts
from sidetone.audio.codec import (
    SET_SIGNAL,
    SET_VBR,
    SIGNAL_VOICE,
    configure,
    new_decoders,
    new_encoder,
)
from sidetone.audio.jitter import JITTER
from sidetone.audio.playback import PLAYBACK, SENDERS, SPEAKER, SPEAKERS_MAX, PlaybackParts
from sidetone.audio.processing import fresh
from sidetone.audio.rings import (
    ARRIVED_SLOTS,
    FRAME_SLOT,
    HOP_SLOT,
    PACKET_SLOT,
    SENT_SLOTS,
    Ring,
)
from sidetone.e2ee.audio_frames import new_job
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.native import Record, records

_LOOP_WORDS: Final = 8
_SIDE_SLOTS: Final = 16
_TAP_SLOTS: Final = 2048
_PACKET_SLOTS: Final = 1024


class SideRings:
    """What the threads pass to each other: our own voice, and what the loudspeaker plays."""

    def __init__(self) -> None:
        self.own = Ring(HOP_SLOT, _SIDE_SLOTS)
        self.far = Ring(HOP_SLOT, _SIDE_SLOTS)


class CaptureMemory:
    """The capturing thread's, with an encoder of constant bitrate: sizes tell nothing of words."""

    def __init__(self, keys: AudioKeys, side: SideRings) -> None:
        self.control: Record = records(CAPTURE, 1)[0]
        self.processing: Record = fresh()
        self.sent = Ring(FRAME_SLOT, SENT_SLOTS)
        self.packets = Ring(PACKET_SLOT, _PACKET_SLOTS)
        self.words = np.zeros(_LOOP_WORDS, np.int64)
        self._encoder = new_encoder()
        configure(self._encoder, SET_VBR, 0)
        configure(self._encoder, SET_SIGNAL, SIGNAL_VOICE)
        self.control.encoder = self._encoder.ctypes.data
        self.control.loss_set = -1
        self.control.wake_fd = -1
        self.parts = CaptureParts(
            capture=self.control,
            processing=self.processing,
            epochs=keys.epochs,
            sealers=keys.sealers,
            key_words=keys.words,
            job=new_job(),
            sent=self.sent.slots,
            sent_words=self.sent.words,
            own=side.own.slots,
            own_words=side.own.words,
            far=side.far.slots,
            far_words=side.far.words,
            packets=self.packets.slots,
            packet_words=self.packets.words,
            words=self.words,
        )


class PlaybackMemory:
    """The playing thread's; *gains* are two for each sender, left and right."""

    def __init__(self, keys: AudioKeys, side: SideRings) -> None:
        self.control: Record = records(PLAYBACK, 1)[0]
        self.control.output_volume = self.control.output_before = 1.0
        self.arrived = Ring(FRAME_SLOT, ARRIVED_SLOTS)
        self.tapped = Ring(HOP_SLOT, _TAP_SLOTS)
        self.packets = Ring(PACKET_SLOT, _PACKET_SLOTS)
        self.gains = np.ones(2 * SENDERS, np.float32)
        self.forgets = np.zeros(SENDERS, np.uint8)
        self.speakers = records(SPEAKER, SPEAKERS_MAX)
        self.jitters = records(JITTER, SPEAKERS_MAX)
        self.words = np.zeros(_LOOP_WORDS, np.int64)
        self.parts = PlaybackParts(
            playback=self.control,
            speakers=self.speakers,
            jitters=self.jitters,
            decoders=new_decoders(SPEAKERS_MAX),
            gains=self.gains,
            forgets=self.forgets,
            places=np.full(SENDERS, -1, np.int16),
            epochs=keys.epochs,
            openers=keys.openers,
            key_words=keys.words,
            job=new_job(),
            arrived=self.arrived.slots,
            arrived_words=self.arrived.words,
            own=side.own.slots,
            own_words=side.own.words,
            far=side.far.slots,
            far_words=side.far.words,
            tapped=self.tapped.slots,
            tapped_words=self.tapped.words,
            packets=self.packets.slots,
            packet_words=self.packets.words,
            words=self.words,
        )
