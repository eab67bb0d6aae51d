"""Find out whether the node's kernels and aioquic understand each other; see `quic.trial`."""

from typing import Final
from uuid import UUID

import numpy as np

from sidetone.e2ee.frames import Header
from sidetone.e2ee.schedule import MediaKind
from sidetone.native.clock import now_ns
from sidetone.protocol.ids import ChannelId, Sender
from sidetone.quic import batches
from sidetone.quic.trial import CLIENT, SelfTestError, Trial, pair
from sidetone.quic.wire import Bytes
from sidetone.voice_sfu.application.ports import Place
from sidetone.voice_sfu.domain.meter import Meter
from sidetone.voice_sfu.infrastructure.fastpath import control, loop, routing
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath
from sidetone.voice_sfu.infrastructure.fastpath.lane import Lane

_SENDER: Final = Sender(7)
_FRAME: Final = Header(MediaKind.AUDIO, False, 0, 0, _SENDER, 1).pack() + bytes(40)  # noqa: FBT003
_PACKETS_PER_SECOND: Final = 250.0
_BITS_PER_SECOND: Final = 400_000.0


class _Nobody:
    def flooded(self) -> None:
        raise SelfTestError("one packet counts as a flood")

    def detour(self, frame: bytes) -> None:
        raise SelfTestError(f"a frame of {len(frame)} bytes makes a detour")

    def meters(self) -> tuple[Meter, ...]:
        return ()


def check() -> None:
    """Raise ``SelfTestError``, or whatever aioquic raises, where the fast path cannot be used."""
    client, server = pair()
    path = FastPath(_PACKETS_PER_SECOND, _BITS_PER_SECOND)
    place = Place(ChannelId(UUID(int=1)), _SENDER, speaks=True, hears=True)
    lane = path.connect(server, place, _Nobody())
    if lane is None:
        raise SelfTestError("there is no row for a connection")
    try:
        lane.allow(speaks=True, hears=True)
        kernels = _Kernels(path, lane)
        row = path.shared.rows[lane.index]
        trial = Trial(lane, row.connection, client, CLIENT, kernels.hear, kernels.say)
        trial.run(_FRAME, lambda: int(row.counts.frames_in) == 1)
    finally:
        lane.close()


class _Kernels:
    def __init__(self, path: FastPath, lane: Lane) -> None:
        self._shared = path.shared
        self._index = lane.index
        self._batch, self._cipher = control.new_buffers()
        self._text = np.zeros(batches.DATAGRAM_BYTES_MAX, np.uint8)

    def hear(self, packet: Bytes, name: Bytes) -> None:
        loop.take_packet(
            self._shared, self._batch, self._cipher, packet, name, self._text, now_ns()
        )

    def say(self, frame: bytes) -> bytes:
        data, now = np.frombuffer(frame, np.uint8).copy(), now_ns()
        arguments = (self._shared, self._batch, self._cipher)
        slot = routing.take_frame(*arguments, data, 0, data.size, now)
        routing.pass_on(*arguments, self._index, slot, now)
        routing.emit(*arguments, self._index, now)
        return self._batch.data[: int(self._batch.vectors[0, 1])].tobytes()
