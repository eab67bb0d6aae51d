"""What a test of video stands on: a client that shows and watches, and a link that takes notes."""

import asyncio
import itertools
import struct
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import QuicEvent, StopSendingReceived, StreamDataReceived, StreamReset

from sidetone.credentials.tickets import Perm
from sidetone.protocol.ids import Sender
from sidetone.protocol.voice_control import Ping, Pong, Subscribe
from sidetone.voice_sfu.app import Unit
from sidetone.voice_sfu.domain.video_frame import Cut
from sidetone.voice_sfu.domain.video_queue import FrameId, Piece, VideoQueue
from tests.load.sfu_stage import PATIENCE_SECONDS, TALK, Client, VoiceDesk, connected

SHOW = TALK | Perm.VIDEO

_HEADER = struct.Struct(">BBHI")
_counters = itertools.count()


def picture(sender: int, size: int = 100, *, layer: int = 0, keyframe: bool = False) -> bytes:
    """Return a video frame of *size* bytes with a true header, and nothing sealed in it."""
    counter = next(_counters)
    first = 0x40 | 1 << 4 | 8 | (4 if keyframe else 0) | layer
    body = struct.pack(">I", counter & 0xFFFFFFFF) * ((size - 8) // 4 + 1)
    return _HEADER.pack(first, 0, sender, counter) + body[: size - 8]


class VideoClient(Client):
    """A client with video: shows frames, each on a stream of its own, and keeps those it gets."""

    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic)
        self.pictures: asyncio.Queue[bytes] = asyncio.Queue()
        self.growing: dict[int, bytearray] = {}
        self.resets: list[Cut] = []
        self.stops: list[tuple[int, Cut]] = []

    def open_stream(self) -> int:
        """Return the number of a new unidirectional stream."""
        stream = self._quic.get_next_available_stream_id(is_unidirectional=True)
        self._quic.send_stream_data(stream, b"")
        return stream

    def show(self, data: bytes, stream: int | None = None, *, ended: bool = True) -> int:
        """Send a frame, or a part of one, on a stream; returns which."""
        stream = self.open_stream() if stream is None else stream
        self._quic.send_stream_data(stream, data, ended)
        self.transmit()
        return stream

    async def seen(self) -> bytes:
        """Return the next whole frame."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.pictures.get()

    def quic_event_received(self, event: QuicEvent) -> None:
        match event:
            case StreamDataReceived(data=data, end_stream=ended, stream_id=stream) if stream & 2:
                self.growing.setdefault(stream, bytearray()).extend(data)
                if ended:
                    self.pictures.put_nowait(bytes(self.growing.pop(stream)))
            case StreamReset(error_code=code, stream_id=stream):
                self.growing.pop(stream, None)
                self.resets.append(Cut(code))
            case StopSendingReceived(error_code=code, stream_id=stream):
                self.stops.append((stream, Cut(code)))
            case _:
                pass
        super().quic_event_received(event)


@asynccontextmanager
async def crowd(unit: Unit, desk: VoiceDesk, viewers: int) -> AsyncGenerator[list[VideoClient]]:
    """Seat one who may show, and so many who may not but watch."""
    async with AsyncExitStack() as stack:
        clients: list[VideoClient] = []
        for number in range(1 + viewers):
            client = await stack.enter_async_context(connected(unit.port, kind=VideoClient))
            perms = TALK if number else SHOW
            await client.join(desk.ticket(unit.node.node, perms=perms))
            clients.append(client)
        yield clients


async def watching(viewer: VideoClient, source: VideoClient, layer: int = 0) -> None:
    """Subscribe, and wait until it counts."""
    viewer.tell(Subscribe([Sender(source.sender)], [1], [layer]))
    viewer.tell(Ping(1))
    await viewer.told(Pong)


class NotedVideo:
    """The video streams of a connection that is none: notes what is done with them."""

    def __init__(self) -> None:
        self.queue = VideoQueue()
        self.stopped: list[tuple[int, Cut]] = []
        self.cuts: list[tuple[FrameId, Cut]] = []

    def stop(self, stream: int, why: Cut) -> None:
        self.stopped.append((stream, why))

    def begin(self, frame: FrameId, now: float, *, keyframe: bool) -> None:
        self.queue.begin(frame, now, keyframe=keyframe)

    def add(self, piece: Piece) -> bool:
        return self.queue.add(piece)

    def unfinished(self, source: Sender | None = None) -> list[FrameId]:
        return self.queue.unfinished(source)

    def cut(self, frames: Iterable[FrameId], why: Cut) -> int:
        cut = self.queue.cut(frames)
        self.cuts += [(frame, why) for frame in cut]
        return len(cut)

    def is_late(self, now: float) -> bool:
        return self.queue.is_late(now)

    def given(self) -> bytes:
        """Take all that waits."""
        return b"".join(piece.data for piece in self.queue.take(1 << 30, 1 << 30))
