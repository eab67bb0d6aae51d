"""Decide once, before the first call, whether links use kernels, and say once why not."""

import functools
import logging
from typing import Final

import numpy as np

from sidetone.audio.rings import ARRIVED_SLOTS, FRAME_SLOT, SENT_SLOTS, Ring, put_bytes, waiting
from sidetone.client import link_kernels
from sidetone.client.fast_link import LinkLane, new_buffers, new_link
from sidetone.client.link_kernels import SPEAKS, Link
from sidetone.e2ee.frames import Header
from sidetone.e2ee.schedule import MediaKind
from sidetone.native import prepare
from sidetone.native.clock import now_ns
from sidetone.protocol.ids import Sender
from sidetone.quic import aead, batches, system
from sidetone.quic.trial import SERVER, Trial, pair
from sidetone.quic.wire import Bytes

_FRAME: Final = Header(MediaKind.AUDIO, False, 0, 0, Sender(7), 1).pack() + bytes(40)  # noqa: FBT003

_log = logging.getLogger(__name__)


@functools.cache
def kernels_work() -> bool:
    """Try the kernels of a link, which compiles or loads them; blocks for that long, once."""
    if not system.AVAILABLE:
        return _without("this system cannot receive datagrams in batches; Linux can")
    if not aead.AVAILABLE:
        return _without("Nettle 3 is missing; on Debian or Ubuntu: sudo apt install libnettle8")
    try:
        _check()
        prepare(link_kernels.run, link_kernels.let_speak, link_kernels.deliver)
    except Exception as error:
        return _without(f"their self-test failed: {type(error).__name__}: {error}")
    return True


def _without(reason: str) -> bool:
    _log.warning("calls share the interpreter for lack of kernels: %s", reason)
    return False


def _check() -> None:
    client, server = pair()
    link = new_link(
        system.new_lock(), Ring(FRAME_SLOT, SENT_SLOTS), Ring(FRAME_SLOT, ARRIVED_SLOTS)
    )
    link.words[SPEAKS] = 1
    lane = LinkLane(link, client)
    lane.open()
    try:
        kernels = _Kernels(link)
        trial = Trial(lane, link.connection[0], server, SERVER, kernels.hear, kernels.say)
        trial.run(_FRAME, lambda: waiting(link.arrived_words) == 1)
    finally:
        lane.close()


class _Kernels:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._batch, self._cipher = new_buffers()
        self._text = np.zeros(batches.DATAGRAM_BYTES_MAX, np.uint8)

    def hear(self, packet: Bytes, name: Bytes) -> None:
        link_kernels.take_packet(self._link, self._cipher, packet, name, self._text, now_ns())

    def say(self, frame: bytes) -> bytes:
        put_bytes(self._link.sent, self._link.sent_words, frame, now_ns())
        link_kernels.say_all(self._link, self._batch, self._cipher, now_ns())
        return self._batch.data[: int(self._batch.vectors[0, 1])].tobytes()
