"""What a fuzz run sends: payloads that are nearly right, and datagrams that are nearly packets."""

import random
from dataclasses import dataclass

from tests.load.quic_shapes import said, varint

_TYPES = (0x04, 0x05, 0x06, 0x07, 0x08, 0x0F, 0x10, 0x11, 0x12, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1E)
_EDGES = (0, 1, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, (1 << 61) + 1, (1 << 62) - 1)
_PAYLOAD_MAX = 2048 - 11 - 16


@dataclass
class Truth:
    """What a payload can be right or wrong about: who speaks, and what was sent to it."""

    sender: int
    next_number: int


class Payloads:
    """An endless source. The same *seed* gives the same payloads."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def payload(self, truth: Truth) -> bytes:
        """Return frames one after another, most of the time with something wrong."""
        pick = self._random
        made = b"".join(self._frame(truth) for _ in range(pick.choice((1, 1, 2, 3, 5))))
        if pick.random() < 0.4:
            made = self._damaged(made)
        return made[:_PAYLOAD_MAX].ljust(2, b"\0")

    def datagram(self, sealed: bytes, cid: bytes) -> bytes:  # noqa: PLR0911 - one for each kind
        """Return what is no packet of the peer's; *sealed* is one, and stays unknown."""
        pick = self._random
        match pick.randrange(7):
            case 0:
                return pick.randbytes(pick.choice((0, 1, 2, 8, 20, 28, 29, 60, 1200, 2048)))
            case 1:
                head = bytes([0x40 | pick.randrange(64)]) + cid
                return head + pick.randbytes(pick.choice((0, 1, 4, 19, 20, 21, 40, 1000, 2039)))
            case 2:
                return sealed[: pick.randrange(len(sealed))]
            case 3:
                return sealed + pick.randbytes(pick.choice((1, 4, 16, 500)))
            case 4:
                return bytes([0xC0 | pick.randrange(64)]) + pick.choice(
                    (sealed[1:], pick.randbytes(1200), b"\0\0\0\1\x08" + cid + pick.randbytes(40))
                )
            case 5:
                at = pick.randrange(len(sealed))
                return sealed[:at] + pick.randbytes(1) + sealed[at + 1 :] + b"\0"
            case _:
                at, bit = pick.randrange(len(sealed)), 1 << pick.randrange(8)
                return sealed[:at] + bytes([sealed[at] ^ bit]) + sealed[at + 1 :]

    # --- frames ---

    def _frame(self, truth: Truth) -> bytes:  # noqa: PLR0911 - one for each kind
        pick = self._random
        match pick.randrange(10):
            case 0:
                return bytes(pick.choice((1, 2, 40)))
            case 1:
                return b"\x01" * pick.choice((1, 1, 3))
            case 2 | 3:
                return self._ack(truth)
            case 4 | 5 | 6:
                return said(self._voice(truth))
            case 7:
                return b"\x30" + self._voice(truth)
            case 8:
                lie = pick.choice((*_EDGES, pick.randrange(1 << 16)))
                return b"\x31" + self._number(lie) + self._voice(truth)
            case _:
                kind = varint(pick.choice(_TYPES), pick.choice((1, 1, 2, 4)))
                return kind + pick.randbytes(pick.randrange(30))

    def _voice(self, truth: Truth) -> bytes:
        pick = self._random
        kind = pick.choice((0, 0, 0, 0, 1, 2, 3))
        version = 1 if pick.random() < 0.95 else pick.randrange(4)
        sender = truth.sender if pick.random() < 0.9 else pick.randrange(1 << 16)
        first = version << 6 | kind << 4 | pick.randrange(16)
        head = bytes([first, pick.randrange(256)]) + sender.to_bytes(2, "big") + pick.randbytes(4)
        length = pick.choice((0, 1, 8, 23, 24, 25, 60, 60, 60, 180, 180, 999, 1000, 1001, 1300))
        return (head + bytes(max(0, length - 8)))[:length]

    def _ack(self, truth: Truth) -> bytes:
        """Acknowledge what was sent, or what never was, in ranges that add up or do not."""
        pick = self._random
        honest = pick.random() < 0.7
        largest = pick.randrange(truth.next_number) if honest else pick.choice(_EDGES)
        count = pick.choice((0, 0, 1, 2, 5, 31))
        told = count if pick.random() < 0.9 else pick.choice((*_EDGES, 512, 513))
        steps = [self._step(largest, count, honest) for _ in range(2 * count + 1)]
        kind = pick.choice((2, 2, 2, 3))
        counts = [pick.choice(_EDGES) for _ in range(3 if kind == 3 else 0)]
        delay = pick.choice((0, 100, 5_000, *_EDGES))
        numbers = (largest, delay, told, *steps, *counts)
        return bytes([kind]) + b"".join(self._number(number) for number in numbers)

    def _step(self, largest: int, count: int, honest: bool) -> int:
        pick = self._random
        most = largest // (3 * count + 1)
        return pick.randrange(most + 1) if honest or pick.random() < 0.5 else pick.choice(_EDGES)

    def _number(self, value: int) -> bytes:
        sizes = [size for size in (1, 2, 4, 8) if value < 1 << 8 * size - 2]
        return varint(value, self._random.choice(sizes))

    def _damaged(self, made: bytes) -> bytes:
        pick = self._random
        at = pick.randrange(len(made) + 1)
        match pick.randrange(5):
            case 0:
                return made[:at]
            case 1:
                return made[:at] + pick.randbytes(1) + made[at + 1 :]
            case 2:
                return made[:at] + pick.randbytes(pick.choice((1, 2, 9))) + made[at:]
            case 3:
                return made + bytes([pick.choice((0x02, 0x03, 0x31, 0x40, 0x80, 0xC0, 0xFF))])
            case _:
                return made + made[at:]
