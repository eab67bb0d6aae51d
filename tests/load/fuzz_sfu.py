"""Fuzz the kernels that read packets: ``python -m tests.load.fuzz_sfu --count 1000000``.

So many payloads, sealed with the right keys, and so many raw datagrams, once with every index
checked (``NUMBA_BOUNDSCHECK``) and once as compiled for use. What the kernels take as theirs
aioquic must read as well, and find the same frames in it; listeners hear just those that
`Room.route` lets pass; what no key opens changes nothing.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from aioquic.buffer import Buffer, BufferReadError
from aioquic.quic.connection import QuicReceiveContext
from aioquic.quic.packet import pull_ack_frame
from aioquic.tls import Epoch

from sidetone.native import kernel, signature
from sidetone.quic import notices
from sidetone.quic.batches import DATAGRAM_BYTES_MAX
from sidetone.quic.connections import WINDOW_MAX, WINDOW_MIN
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.domain.room import Room
from sidetone.voice_sfu.infrastructure.fastpath import loop, routing, words
from sidetone.voice_sfu.infrastructure.fastpath.routing import REASONS
from tests.load.compare_sfu import compare
from tests.load.fastpath_stage import (
    BOUNDLESS,
    Stage,
    datagrams,
    guarded,
    new_identity,
    shake_hands,
)
from tests.load.fuzz_payloads import Payloads, Truth
from tests.load.sfu_stage import CHANNEL, frame
from tests.load.vx1_shapes import ticket

BATCH = 8
_RTT_MAX_NS = 60_000_000_000
_QUEUE = REASONS.index(Drop.QUEUE)
_SEEN = 5


@dataclass
class Findings:
    """What a run did, and what was wrong."""

    checked: bool
    payloads: int = 0
    datagrams: int = 0
    fast: int = 0
    frames_passed: int = 0
    forged: int = 0
    seconds: float = 0.0
    drops: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@kernel(
    signature(
        "void", loop.MEDIA, loop.BATCH, loop.CIPHER, "int64", "uint8[::1]", "int64[::1]",
        "uint8[::1]", "uint8[::1]", "uint8[::1]", "int64[:, ::1]", "int64",
    )
)  # fmt: skip
def _feed(  # noqa: PLR0913, PLR0917
    shared: Any, batch: Any, cipher: Any, index: Any, data: Any, ends: Any,
    name: Any, guard: Any, text: Any, seen: Any, now_ns: Any,
) -> None:  # fmt: skip
    """Give datagrams to a row's kernels; notes for each whether it was taken, and all counts."""
    start = 0
    counts = shared.rows[index].counts
    packets = shared.rows[index].connection.counts
    for k in range(ends.size):
        length = ends[k] - start
        packet = guard[guard.size - length :]
        for i in range(length):
            packet[i] = data[start + i]
        start = ends[k]
        seen[k, 0] = loop.take_packet(shared, batch, cipher, packet, name, text, now_ns)
        seen[k, 1], seen[k, 2], seen[k, 3] = packets.packets_in, counts.frames_in, packets.forged
        seen[k, 4] = shared.notices.words[notices.PASSED]
        shared.notices.words[notices.PASSED] = 0
        for i in range(counts.drops.size):
            seen[k, _SEEN + i] = counts.drops[i]
    loop.send_acks(shared, batch, cipher, now_ns)
    routing.flush(shared, batch, cipher, now_ns)


class Fuzz:
    """A room of three: one sends what comes to mind, two listen and say something at times."""

    def __init__(self, stage: Stage, seed: int, findings: Findings) -> None:
        self.findings = findings
        self._stage = stage
        self._source = Payloads(seed)
        self._bad, *self._good = stage.peers
        self._room = Room(CHANNEL, 100, BOUNDLESS)
        assert self._bad.sender in [self._room.join(ticket(), 0)[0] for _ in range(4)]
        self._oracle = shake_hands(stage.identity, self._bad.address, stage.now_ns)[1]
        self._guard, self._text = guarded(DATAGRAM_BYTES_MAX), guarded(DATAGRAM_BYTES_MAX)
        self._seen = np.zeros((BATCH, _SEEN + 16), np.int64)
        datagrams(self._oracle)

    def payloads(self) -> None:
        """Send a batch of sealed payloads."""
        self._speak_to_the_bad_one()
        truth = Truth(self._bad.sender, int(self._bad.row.connection.next_number))
        made = [self._source.payload(truth) for _ in range(BATCH)]
        before = self._counts()
        seen = self._give([self._bad.sealed(each) for each in made])
        passed: list[bytes] = []
        for payload, now in zip(made, seen, strict=True):
            change = now - before
            change[0], change[4] = now[0], now[4]
            self._check_payload(payload, change, passed)
            before = now
        self.findings.payloads += BATCH
        self._check_heard(passed)
        self._check_row()

    def datagrams(self) -> None:
        """Send a batch of what is no packet."""
        sealed = self._bad.sealed(b"\x01" + frame(self._bad.sender), self._bad.number)
        made = [self._source.datagram(sealed, self._bad.cid) for _ in range(BATCH)]
        before = self._counts()
        seen = self._give([each if each != sealed else b"" for each in made])
        if (seen[-1][1:3] != before[1:3]).any():
            self._fault("a datagram that nobody sealed was opened", b"|".join(made))
        self.findings.forged += int(seen[-1][3] - before[3])
        self.findings.datagrams += BATCH
        self._check_row()

    # --- inside ---

    def _speak_to_the_bad_one(self) -> None:
        speaker = self._good[0]
        speaker.send(b"\x30" + frame(speaker.sender))
        for peer in (self._bad, self._good[1]):
            peer.heard()
        self._good[1].settle()

    def _give(self, made: list[bytes]) -> Any:
        data = np.frombuffer(b"".join(made), np.uint8).copy()
        ends = np.cumsum([len(each) for each in made])
        _feed(
            self._stage.shared, *self._stage.buffers, self._bad.lane.index, data, ends,
            self._bad.name, self._guard, self._text, self._seen, self._stage.now_ns,
        )  # fmt: skip
        self._stage.wait(self._stage.now_ns % 7)
        return self._seen.copy()

    def _counts(self) -> Any:
        counts, packets = self._bad.row.counts, self._bad.row.connection.counts
        three = [int(packets.packets_in), int(counts.frames_in), int(packets.forged)]
        return np.array([0, *three, 0, *counts.drops], np.int64)

    def _check_payload(self, payload: bytes, change: Any, passed: list[bytes]) -> None:
        if change[1] != 1:
            self._fault("a sealed packet was not opened", payload)
        self.findings.fast += int(change[0])
        frames = self._read(payload) if change[0] else leading_frames(payload)[: change[4]]
        if not change[0] and len(frames) < change[4]:
            self._fault("more frames were passed on than there are", payload)
        expected = np.zeros(16, np.int64)
        for each in frames:
            route = self._room.route(self._bad.sender, each)
            if isinstance(route, Drop):
                expected[REASONS.index(route)] += 1
                drops = self.findings.drops
                drops[route.value] = drops.get(route.value, 0) + 1
            else:
                passed.append(each)
                expected[-1] += 1
        found = np.array([*change[_SEEN:-1], change[2]])
        # Its own window may be full of what it never acknowledges.
        found[_QUEUE] = 0
        if (found != expected).any():
            self._fault(f"{found} instead of {expected}", payload)

    def _read(self, payload: bytes) -> list[bytes]:
        context = QuicReceiveContext(
            epoch=Epoch.ONE_RTT,
            host_cid=self._oracle.host_cid,
            network_path=self._oracle._network_paths[0],
            quic_logger_frames=None,
            time=self._stage.now_ns / 1e9,
            version=self._oracle._version,
        )
        try:
            self._oracle._payload_received(context, payload)
        except Exception as error:
            self._fault(f"aioquic refuses what kernels took: {error!r}", payload)
        return datagrams(self._oracle)

    def _check_heard(self, passed: list[bytes]) -> None:
        self.findings.frames_passed += len(passed)
        for peer in self._good:
            missed = int(peer.row.counts.drops[_QUEUE])
            peer.row.counts.drops[_QUEUE] = 0
            heard = peer.heard()
            order = iter(passed)
            if len(heard) + missed != len(passed) or not all(each in order for each in heard):
                self._fault(f"{len(heard)} and {missed} frames of {len(passed)}", b"".join(passed))
            peer.settle()

    def _check_row(self) -> None:
        row, shared = self._bad.row, self._stage.shared.words
        size = sum(int(word) >> 16 & 0xFFFF for word in row.connection.sent)
        holds = (
            row.connection.in_flight == size
            and WINDOW_MIN <= row.connection.window <= WINDOW_MAX
            and 0 <= row.connection.rtt_ns <= _RTT_MAX_NS
            and row.connection.largest_acked < row.connection.next_number
            and row.frames_waiting == row.frames_bytes == 0
            and shared[words.FRAMES] == shared[words.TOUCHED] == shared[words.HELD] == 0
        )
        if not holds:
            self._fault(f"a row that cannot be: {row}", b"")

    def _fault(self, what: str, data: bytes) -> None:
        if len(self.findings.faults) < 20:
            self.findings.faults.append(f"{what}: {data.hex()}")


def leading_frames(payload: bytes) -> list[bytes]:
    """Return the texts of the DATAGRAM frames before the first frame that is only aioquic's."""
    buffer, found = Buffer(data=payload), list[bytes]()
    with suppress(BufferReadError, ValueError):
        while not buffer.eof():
            match buffer.pull_uint8():
                case 0x00 | 0x01:
                    pass
                case 0x02:
                    pull_ack_frame(buffer)
                case 0x03:
                    pull_ack_frame(buffer)
                    for _ in range(3):
                        buffer.pull_uint_var()
                case 0x30:
                    found.append(buffer.pull_bytes(buffer.capacity - buffer.tell()))
                case 0x31:
                    found.append(buffer.pull_bytes(buffer.pull_uint_var()))
                case _:
                    break
    return found


def fuzz(count: int, seed: int) -> Findings:
    """Run in this process; some sealed payloads and some datagrams in turn, *count* of each."""
    findings = Findings(bool(os.environ.get("NUMBA_BOUNDSCHECK")))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        identity = new_identity(Path(folder))
        with Stage(identity, 3, BOUNDLESS) as stage:
            run = Fuzz(stage, seed, findings)
            while findings.payloads < count:
                run.payloads()
                run.datagrams()
    findings.seconds = time.monotonic() - began
    return findings


def fuzz_in_child(count: int, seed: int, *, checked: bool) -> Findings:
    """Run in a process of its own: an index out of bounds may end it."""
    environment = dict(os.environ)
    if checked:
        folder = platformdirs.user_cache_path("sidetone", appauthor=False) / "kernels-checked"
        environment |= {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(folder)}
    command = (sys.executable, "-m", "tests.load.fuzz_sfu", "--child", "--seed", str(seed))
    done = subprocess.run(
        (*command, "--count", str(count)), env=environment, capture_output=True, check=False
    )
    if done.returncode:
        fault = f"the process ended with {done.returncode}: {done.stderr.decode()[-2000:]}"
        return Findings(checked, faults=[fault])
    return Findings(**json.loads(done.stdout))


def main() -> None:
    """Print what was found, and fail if that is anything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", action="store_true", help="one mode, in this process")
    parser.add_argument(
        "--differential", action="store_true", help="so many events to both servers instead"
    )
    asked = parser.parse_args()
    if asked.differential:
        findings = asyncio.run(compare(asked.count, asked.seed))
        print(json.dumps(asdict(findings), indent=1))
        sys.exit(1 if findings.faults else 0)
    if asked.child:
        print(json.dumps(asdict(fuzz(asked.count, asked.seed))))
        return
    runs = [fuzz_in_child(asked.count, asked.seed, checked=checked) for checked in (True, False)]
    for each in runs:
        print(json.dumps(asdict(each), indent=1))
    sys.exit(1 if any(each.faults for each in runs) else 0)


if __name__ == "__main__":
    main()
