"""The video of one room on its way: from the stream of who shows it to those who watch.

Bytes go on as they come. Nothing here is kept but who a frame goes to.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from sidetone.e2ee.schedule import MediaKind
from sidetone.protocol.ids import Sender
from sidetone.protocol.refusals import Forbidden, Invalid
from sidetone.protocol.voice_control import Error, KeyframeRequest, KeyframeWanted, Subscribe
from sidetone.voice_sfu.application.ports import Connection, Surroundings
from sidetone.voice_sfu.domain.limits import Verdict, VideoAllowance
from sidetone.voice_sfu.domain.meter import Meter, VideoMeter
from sidetone.voice_sfu.domain.room import Room
from sidetone.voice_sfu.domain.video import LAYERS_MAX, WATCHED_MAX, Ask, Video
from sidetone.voice_sfu.domain.video_frame import Cut, IncomingFrame
from sidetone.voice_sfu.domain.video_queue import FrameId, Piece

# Frames that were on their way when the right to show was lost are no offence.
RIGHTS_GRACE_SECONDS = 3.0


class Viewer(Protocol):
    """A member as its video is concerned."""

    @property
    def connection(self) -> Connection:
        """Where its frames come from and go to."""
        ...

    @property
    def meter(self) -> Meter:
        """What counts them."""
        ...


class _Passing(msgspec.Struct):
    frame: IncomingFrame
    viewers: list[Sender] = []


class _Show:
    """What one member shows. Streams in *ignored* were cut, and the client was told."""

    def __init__(self, allowance: VideoAllowance) -> None:
        self.allowance = allowance
        self.passing: dict[int, _Passing] = {}
        self.ignored: set[int] = set()
        self.forbidden_at: float | None = None


class LiveVideo:
    """Carries out what `Video` decides. *seats* are the members, whoever they are just now."""

    def __init__(self, room: Room, seats: Mapping[Sender, Viewer], around: Surroundings) -> None:
        self._room = room
        self._seats = seats
        self._around = around
        self._video = Video()
        self._shows: dict[Sender, _Show] = {}

    # --- who shows ---

    def receive(self, sender: Sender, stream: int, data: bytes, *, ended: bool) -> bool:
        """Pass on what came on a stream of *sender*; False if it sends more than it may.

        Raises ``Forbidden`` when it may not show anything, ``Invalid`` when it floods.
        """
        now = self._around.now()
        show = self._show_of(sender)
        verdict = show.allowance.take_bytes(len(data), now)
        if stream not in show.passing and stream not in show.ignored:
            verdict = _worse(verdict, show.allowance.take_frame(now))
            show.passing[stream] = _Passing(IncomingFrame(sender, now))
        if verdict is Verdict.CLOSE:
            raise Invalid("media_flood", "far more video came than anybody may send")
        if stream in show.ignored:
            if ended:
                show.ignored.discard(stream)
            return verdict is Verdict.PASS
        frame = FrameId(sender, stream)
        why = self._refusal(sender, show, verdict, now) or self._pass_on(
            frame, show.passing[stream], Piece(frame, data, ended), now
        )
        if why is not None:
            self._cut(frame, why, stop=not ended)
        elif ended:
            del show.passing[stream]
        return verdict is Verdict.PASS

    def broken_off(self, sender: Sender, stream: int) -> None:
        """Note that *sender* will not send the rest of a frame."""
        show = self._shows.get(sender)
        if show is None:
            return
        show.ignored.discard(stream)
        if stream in show.passing:
            self._cut(FrameId(sender, stream), Cut.BROKEN_OFF, stop=False)

    def forbid(self, sender: Sender) -> None:
        """End what *sender* shows: it lost the right to."""
        show = self._show_of(sender)
        show.forbidden_at = self._around.now()
        self._end(sender, Cut.RIGHTS)

    # --- who watches ---

    def subscribe(self, viewer: Sender, message: Subscribe) -> None:
        """Let *viewer* watch those it names, and nobody else."""
        try:
            wanted = _wanted(message)
        except Invalid as refusal:
            self._seats[viewer].connection.send(Error(refusal.code, refusal.detail))
            return
        here = {source: layer for source, layer in wanted.items() if source in self._seats}
        change = self._video.watch(viewer, here, self._around.now())
        for source in change.dropped:
            self._cut_for(viewer, source, Cut.UNWANTED)
        self._ask(change.asks)

    def request(self, viewer: Sender, message: KeyframeRequest) -> None:
        """Ask for a keyframe that *viewer* needs, if it is shown that layer."""
        now = self._around.now()
        self._ask(self._video.request(viewer, message.sender, message.layer, now))

    # --- both ---

    def left(self, member: Sender) -> None:
        """End what *member*, who has no seat any more, showed and watched."""
        self._end(member, Cut.LEFT)
        self._shows.pop(member, None)
        self._video.forget(member)

    def handle_timer(self) -> None:
        """End what stalls, have viewers that are too slow begin anew, and ask again."""
        now = self._around.now()
        for sender, show in self._shows.items():
            late = [stream for stream, each in show.passing.items() if each.frame.is_late(now)]
            for stream in late:
                self._cut(FrameId(sender, stream), Cut.STALLED, stop=True)
        for viewer, seat in self._seats.items():
            if seat.connection.video.is_late(now):
                self._fell_behind(viewer, now)
        self._ask(self._video.handle_timer(now))

    # --- inside ---

    def _show_of(self, sender: Sender) -> _Show:
        show = self._shows.get(sender)
        if show is None:
            show = self._shows[sender] = _Show(VideoAllowance(self._around.video_rates))
        return show

    def _refusal(self, sender: Sender, show: _Show, verdict: Verdict, now: float) -> Cut | None:
        if self._room.may_show(sender):
            return Cut.RATE if verdict is Verdict.DROP else None
        if show.forbidden_at is None or now - show.forbidden_at > RIGHTS_GRACE_SECONDS:
            raise Forbidden("stream_forbidden", "a unidirectional stream needs a video grant")
        return Cut.RIGHTS

    def _pass_on(self, frame: FrameId, passing: _Passing, piece: Piece, now: float) -> Cut | None:
        is_new = passing.frame.header is None
        ready = passing.frame.feed(piece.data, now, ended=piece.ended)
        if isinstance(ready, Cut):
            return ready
        if passing.frame.header is None:
            return None
        if is_new and not self._begin(frame, passing, now):
            return Cut.OVERTAKEN
        self._give(passing, piece._replace(data=ready), now)
        return None

    def _begin(self, frame: FrameId, passing: _Passing, now: float) -> bool:
        """Decide who gets a frame; False if a newer keyframe has overtaken it."""
        layer, keyframe = passing.frame.layer, passing.frame.is_keyframe
        start = self._video.start(frame.source, frame.stream, layer, now, keyframe=keyframe)
        if start.overtaken:
            return False
        passing.viewers = list(start.viewers)
        if keyframe:
            self._overtake(frame, layer)
        for viewer in start.viewers:
            link = self._seats[viewer].connection.video
            if keyframe:
                older = [each for each in link.unfinished(frame.source) if each < frame]
                self._count_out(viewer, Cut.OVERTAKEN, link.cut(older, Cut.OVERTAKEN))
            link.begin(frame, now, keyframe=keyframe)
        for meter in self._meters(frame.source):
            meter.frames_in += 1
            meter.frames_out += len(start.viewers)
        self._ask(start.asks)
        return True

    def _overtake(self, keyframe: FrameId, layer: int) -> None:
        """Have the sender stop older frames of the layer that are still coming in."""
        older = [
            stream
            for stream, passing in self._shows[keyframe.source].passing.items()
            if stream < keyframe.stream
            and passing.frame.header is not None
            and passing.frame.layer == layer
        ]
        for stream in older:
            self._cut(FrameId(keyframe.source, stream), Cut.OVERTAKEN, stop=True)

    def _give(self, passing: _Passing, piece: Piece, now: float) -> None:
        late: list[Sender] = []
        taking: list[Sender] = []
        for viewer in passing.viewers:
            seat = self._seats.get(viewer)
            if seat is None or not seat.connection.video.add(piece):
                continue
            (late if seat.connection.video.is_late(now) else taking).append(viewer)
        for meter in self._meters(piece.frame.source):
            meter.bytes_in += len(piece.data)
            meter.bytes_out += len(piece.data) * len(taking)
        passing.viewers = taking
        for viewer in late:
            self._fell_behind(viewer, now)

    def _fell_behind(self, viewer: Sender, now: float) -> None:
        link = self._seats[viewer].connection.video
        self._count_out(viewer, Cut.SLOW, link.cut(link.unfinished(), Cut.SLOW))
        self._video.fell_behind(viewer, now)

    def _end(self, source: Sender, why: Cut) -> None:
        """Cut all that *source* shows, also what has come and waits."""
        show = self._shows.get(source)
        for stream in list(show.passing) if show else ():
            self._cut(FrameId(source, stream), why, stop=True)
        if show is not None:
            for viewer in self._seats:
                self._cut_for(viewer, source, why)
        self._video.end(source)

    def _cut(self, frame: FrameId, why: Cut, *, stop: bool) -> None:
        """End a frame that comes in, and for all whom it goes to."""
        show = self._shows[frame.source]
        passing = show.passing.pop(frame.stream)
        seat = self._seats.get(frame.source)
        if stop and seat is not None:
            show.ignored.add(frame.stream)
            seat.connection.video.stop(frame.stream, why)
        for meter in self._meters(frame.source):
            meter.cut_in[why] += 1
        for viewer in passing.viewers:
            if viewer in self._seats:
                link = self._seats[viewer].connection.video
                self._count_out(viewer, why, link.cut([frame], why))

    def _cut_for(self, viewer: Sender, source: Sender, why: Cut) -> None:
        link = self._seats[viewer].connection.video
        self._count_out(viewer, why, link.cut(link.unfinished(source), why))

    def _count_out(self, viewer: Sender, why: Cut, count: int) -> None:
        if count:
            for meter in self._meters(viewer):
                meter.cut_out[why] += count

    def _meters(self, member: Sender) -> Iterable[VideoMeter]:
        seat = self._seats.get(member)
        return (self._around.meter.video, *((seat.meter.video,) if seat else ()))

    def _ask(self, asks: Iterable[Ask]) -> None:
        for ask in asks:
            seat = self._seats.get(ask.source)
            if seat is not None:
                seat.connection.send(KeyframeWanted(ask.layer))
                for meter in self._meters(ask.source):
                    meter.keyframes_asked += 1


def _wanted(message: Subscribe) -> dict[Sender, int]:
    """Return the highest layer for each sender. Raises ``Invalid``."""
    senders, layers = message.senders, message.layers
    if message.kinds != [MediaKind.VIDEO]:
        raise Invalid("subscribe_kinds", "video, kind 1, is the kind that can be chosen")
    if len(senders) != len(layers) or len(set(senders)) != len(senders):
        raise Invalid("subscribe_layers", "each sender stands there once, with one layer")
    if len(senders) > WATCHED_MAX:
        raise Invalid("subscribe_many", f"at most {WATCHED_MAX} members can be watched at once")
    if not all(0 <= layer < LAYERS_MAX for layer in layers):
        raise Invalid("subscribe_layers", f"a layer is 0 to {LAYERS_MAX - 1}")
    return dict(zip(senders, layers, strict=True))


def _worse(one: Verdict, other: Verdict) -> Verdict:
    order = (Verdict.PASS, Verdict.DROP, Verdict.CLOSE)
    return max(one, other, key=order.index)
