"""A crowd on Mumble's server, with the pacing and the receivers of `sfu_crowd`.

What speakers say is sealed beforehand; what comes is counted, and about 300 packets a second are
kept and opened afterwards: so it is known that they are whole, and how long they took.
"""

import asyncio
import math
import random
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidetone.native import kernel, parts, signature
from sidetone.native.clock import now_ns
from sidetone.quic import system
from sidetone.quic.batches import (
    DATAGRAM_BYTES_MAX,
    RECEIVED_MAX,
    length,
)
from tests.load.mumble import PASSWORD, TALK, User, read_voice_number
from tests.load.udp_crowd import (
    ARRIVALS,
    FRAME_SECONDS,
    OPUS_BYTES,
    SETTLE_SECONDS,
    arrived_ns,
    collect,
    count_delay,
    day_ahead_ns,
    new_arrivals,
    new_histogram,
    percentile_ms,
    sleep_until,
)

# Places in the words of a crowd.
FRAMES: Final = 0
KEPT: Final = 1
TURN: Final = 2
_CALLS: Final = 3
_WORDS: Final = 8

_PACKET_BYTES_MAX: Final = 256
_KEPT_MAX: Final = 20_000
_KEPT_PER_SECOND: Final = 300
_TENDED_EVERY: Final = 20


class Listeners(NamedTuple):
    """All users, as kernels see them. *kept*: user, its how manieth packet, arrival, length."""

    sockets: Any
    received: Any
    arrivals: Any
    words: Any
    kept: Any
    kept_packets: Any


LISTENERS: Final = parts(
    Listeners,
    sockets="int64[::1]",
    received="int64[::1]",
    arrivals=ARRIVALS,
    words="int64[::1]",
    kept="int64[:, ::1]",
    kept_packets="uint8[:, ::1]",
)


@kernel(signature("void", LISTENERS, "int64", "int64"))
def _keep(listeners: Listeners, user: int, which: int) -> None:
    place = listeners.words[KEPT]
    if place == _KEPT_MAX:
        return
    batch = listeners.arrivals.batch
    size = min(length(batch, which), _PACKET_BYTES_MAX)
    kept = listeners.kept[place]
    kept[0], kept[1] = user, listeners.received[user] + which + 1
    kept[2], kept[3] = arrived_ns(listeners.arrivals, which), size
    for k in range(size):
        listeners.kept_packets[place, k] = batch.data[which * DATAGRAM_BYTES_MAX + k]
    listeners.words[KEPT] = place + 1


@kernel(signature("void", LISTENERS, "int64", "int64"))
def _hear(listeners: Listeners, user: int, keep_every: int) -> None:
    count = RECEIVED_MAX
    while count == RECEIVED_MAX:
        count = collect(listeners.arrivals, listeners.sockets[user])
        if count == 0:
            return
        listeners.words[_CALLS] += 1
        if listeners.words[_CALLS] % keep_every == 0:
            _keep(listeners, user, listeners.words[_CALLS] // keep_every % count)
        listeners.received[user] += count
        listeners.words[FRAMES] += count


@kernel(signature("void", LISTENERS, "int64"))
def hear_all(listeners: Listeners, keep_every: int) -> None:
    """Take all that has come."""
    for user in range(listeners.sockets.size):
        _hear(listeners, user, keep_every)


@kernel(
    signature("void", LISTENERS, "int64[:, ::1]", "uint8[:, ::1]", "int64[::1]", "int64[::1]"),
    release=True,
)
def talk(
    listeners: Listeners,
    said: NDArray[np.int64],
    sealed: NDArray[np.uint8],
    times: NDArray[np.int64],
    lateness: NDArray[np.int64],
) -> None:
    """Send all that is *sealed*, evenly; *said* has a socket, a length and when for each.

    *times* are how many speakers there are, how often to keep a packet, the time between two
    frames, and what the clock of the day is ahead.
    """
    at_once = -(-listeners.sockets.size // times[0])
    start = now_ns()
    for k in range(said.shape[0]):
        due = start + k * times[2]
        sleep_until(due)
        now = now_ns()
        count_delay(lateness, now - due)
        said[k, 2] = now + times[3]
        system.write(said[k, 0], sealed[k].ctypes.data, said[k, 1])
        for _ in range(at_once):
            user = (listeners.words[TURN] + 1) % listeners.sockets.size
            listeners.words[TURN] = user
            _hear(listeners, user, times[1])


class Speech(NamedTuple):
    """What speakers are to say, sealed. *numbers* tells which packet has whose what number."""

    speakers: int
    count: int
    said: NDArray[np.int64]
    sealed: NDArray[np.uint8]
    numbers: dict[tuple[int, int], int]


class MumbleCrowd:
    """Users in channels of murmurd."""

    def __init__(self, port: int) -> None:
        self.users: list[User] = []
        self._port = port
        self._listeners = self._seen()
        self._delays = new_histogram()
        self._lateness = new_histogram()
        self.opened = self.unopened = 0

    def _seen(self) -> Listeners:
        return Listeners(
            np.array([user.udp.fileno() for user in self.users], np.int64),
            # The answer to the ping that made the server know this address.
            np.ones(len(self.users), np.int64),
            new_arrivals(),
            np.zeros(_WORDS, np.int64),
            np.zeros((_KEPT_MAX, 4), np.int64),
            np.zeros((_KEPT_MAX, _PACKET_BYTES_MAX), np.uint8),
        )

    def join(self, rooms: int, members: int) -> None:
        """Let *members* enter each of so many *rooms*."""
        owner = User(self._port, "SuperUser", PASSWORD)
        for room in range(rooms):
            channel = owner.make_channel(f"room{room}")
            for number in range(members):
                user = User(self._port, f"u{room}.{number}")
                user.enter(channel)
                self.users.append(user)
                if number % _TENDED_EVERY == 0:
                    self.tend()
                    owner.tend()
        owner.close()
        self._listeners = self._seen()

    def tend(self) -> None:
        """Keep all connections alive."""
        for user in self.users:
            user.tend()

    async def talk(self, speakers: Sequence[int], seconds: float) -> None:
        """Let these users speak."""
        await self.talk_prepared(self.prepare(speakers, seconds))

    def prepare(self, speakers: Sequence[int], seconds: float) -> Speech:
        """Seal what these users are to say in turn."""
        step = FRAME_SECONDS / len(speakers)
        count = math.floor(seconds / step)
        said = np.zeros((count, 3), np.int64)
        sealed = np.zeros((count, _PACKET_BYTES_MAX), np.uint8)
        numbers: dict[tuple[int, int], int] = {}
        for k in range(count):
            user = self.users[speakers[k % len(speakers)]]
            packet = user.said(random.randbytes(OPUS_BYTES))
            said[k, :2] = user.udp.fileno(), len(packet)
            sealed[k, : len(packet)] = np.frombuffer(packet, np.uint8)
            numbers[user.session, user.counter] = k
        return Speech(len(speakers), count, said, sealed, numbers)

    async def talk_prepared(self, speech: Speech) -> None:
        """Send it, evenly."""
        self._delays[:] = self._lateness[:] = 0
        self._listeners.words[:] = 0
        self.opened = self.unopened = 0
        keep_every = max(1, round(len(self.users) / FRAME_SECONDS / _KEPT_PER_SECOND))
        step_ns = int(FRAME_SECONDS * 1e9) // speech.speakers
        times = np.array([speech.speakers, keep_every, step_ns, day_ahead_ns()], np.int64)
        arguments = (self._listeners, speech.said, speech.sealed, times, self._lateness)
        await asyncio.to_thread(talk, *arguments)
        await asyncio.sleep(SETTLE_SECONDS)
        hear_all(self._listeners, keep_every)
        self._look_at_kept(speech)

    def frames(self) -> int:
        """Return how many frames have come since the last talk began."""
        return int(self._listeners.words[FRAMES])

    def delay_ms(self, percent: float) -> float:
        """Return a percentile of how long frames took."""
        return percentile_ms(self._delays, percent)

    def lateness_ms(self) -> float:
        """Return the 99th percentile of how late frames were sent."""
        return percentile_ms(self._lateness, 99)

    def close(self) -> None:
        """Let all go."""
        for user in self.users:
            user.close()

    def _look_at_kept(self, speech: Speech) -> None:
        """Open what was kept, and count how long it took."""
        for place in range(int(self._listeners.words[KEPT])):
            who, near, arrived, size = (int(each) for each in self._listeners.kept[place])
            packet = self._listeners.kept_packets[place, :size].tobytes()
            text = self.users[who].opened(packet, near)
            if text is None or text[0] != TALK:
                self.unopened += 1
                continue
            session, at = read_voice_number(text, 1)
            counter, _ = read_voice_number(text, at)
            self.opened += 1
            k = speech.numbers.get((session, counter))
            if k is not None:
                count_delay(self._delays, arrived - int(speech.said[k, 2]))
