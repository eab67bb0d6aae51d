"""The process that captures and encodes: `python -m sidetone.video.child`, orders on stdin.

It holds no interpreter lock that a voice or a window would wait for, and ends when its parent
does: the pipe ends then.
"""

import os
import signal
import sys
import threading
import time
from typing import BinaryIO

import numpy as np

from sidetone.video import Pixels, Size, VideoError, wire
from sidetone.video.budget import Budget
from sidetone.video.capture import Capture
from sidetone.video.encoded import Encoded
from sidetone.video.encoder import Vp8Encoder
from sidetone.video.quality import Quality, fitted
from sidetone.video.screens import open_capture


class Orders:
    """What the parent wants at present; a thread reads it from the pipe."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._changed = threading.Condition()
        self._credit = 0
        self._keyframe = False
        self._rate: int | None = None
        self.ended = False

    def first(self) -> wire.Begin:
        """Return the order to begin; raises ``EOFError`` if the parent has gone."""
        order = wire.order(_read(self._pipe))
        if isinstance(order, wire.Begin):
            return order
        raise EOFError

    def follow(self) -> None:
        """Begin to read what comes after the first."""
        threading.Thread(target=self._run, name="orders", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Sleep so long, or until the parent has gone."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended, seconds)

    def wanted(self) -> bool:
        """Wait until a frame is wanted; False when the parent has gone."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended or self._credit)
            return not self.ended

    @property
    def keyframe(self) -> bool:
        """Whether a keyframe is wanted."""
        return self._keyframe

    def rate(self) -> int | None:
        """Take the rate that is wanted, if it is another than before."""
        with self._changed:
            rate, self._rate = self._rate, None
            return rate

    def given(self, *, keyframe: bool) -> None:
        """Note that the parent got a frame."""
        with self._changed:
            self._credit -= 1
            self._keyframe = self._keyframe and not keyframe

    def _run(self) -> None:
        try:
            while True:
                self._take(wire.order(_read(self._pipe)))
        except (EOFError, OSError):
            with self._changed:
                self.ended = True
                self._changed.notify_all()

    def _take(self, order: wire.Order) -> None:
        with self._changed:
            match order:
                case wire.Next():
                    self._credit += 1
                case wire.Keyframe():
                    self._keyframe = True
                case wire.Rate(bits_per_second):
                    self._rate = bits_per_second
                case wire.Begin():
                    pass
            self._changed.notify_all()


class Recording:
    """Turns one subject into frames as long as they are wanted."""

    def __init__(self, capture: Capture, quality: Quality, orders: Orders) -> None:
        self._capture = capture
        self._quality = quality
        self._orders = orders
        self._budget = Budget(quality.frames_per_second, quality.bits_per_second_max)
        self._before: Pixels | None = None
        self._encoder = self._encoder_for(capture.grab())

    @property
    def size(self) -> Size:
        """The size of the frames at present."""
        return self._encoder.size

    def next(self) -> Encoded | None:
        """Return the next frame, None if there is nothing new to be seen for a while."""
        orders, budget = self._orders, self._budget
        orders.wait(budget.wait_seconds(time.monotonic()))
        rate = orders.rate()
        if rate is not None:
            budget.bits_per_second = rate
            self._encoder.set_rate(rate)
        pixels = self._capture.grab()
        now = time.monotonic()
        wanted = orders.keyframe
        if not budget.took(now, changed=self._changed(pixels), keyframe_wanted=wanted):
            return None
        encoded = self._encoder.encode(pixels, now, keyframe=wanted)
        budget.spent(len(encoded.data), now, keyframe=encoded.keyframe)
        return encoded if encoded.data else None

    def _changed(self, pixels: Pixels) -> bool:
        before, self._before = self._before, pixels
        if before is None or before.shape != pixels.shape:
            if before is not None:
                self._encoder = self._encoder_for(pixels)
            return True
        return not np.array_equal(pixels, before)

    def _encoder_for(self, pixels: Pixels) -> Vp8Encoder:
        height, width = pixels.shape[:2]
        encoder = Vp8Encoder(fitted(Size(width, height), self._quality.size_max), self._quality)
        encoder.set_rate(self._budget.bits_per_second)
        return encoder


def main() -> None:
    """Serve the parent until it has gone."""
    # The terminal's interrupt is for the parent, which ends this process by its pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = Orders(sys.stdin.buffer)
    try:
        begin = orders.first()
        _record(begin, orders)
    except (EOFError, BrokenPipeError):
        pass
    except VideoError as error:
        _say(wire.Failed(str(error)))
    sys.stdout.flush()
    # The thread that reads may be inside a read, which an orderly end would wait for.
    os._exit(0)


def _record(begin: wire.Begin, orders: Orders) -> None:
    capture = open_capture(begin.subject)
    recording = Recording(capture, begin.quality, orders)
    _say(wire.Began(recording.size))
    orders.follow()
    while orders.wanted():
        encoded = recording.next()
        if encoded is not None:
            _say(encoded)
            orders.given(keyframe=encoded.keyframe)


def _say(report: wire.Report) -> None:
    sys.stdout.buffer.write(wire.pack(report))
    sys.stdout.buffer.flush()


def _read(pipe: BinaryIO) -> bytes:
    length = int.from_bytes(_exactly(pipe, wire.LENGTH_BYTES), "big")
    return _exactly(pipe, length)


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


if __name__ == "__main__":
    main()
