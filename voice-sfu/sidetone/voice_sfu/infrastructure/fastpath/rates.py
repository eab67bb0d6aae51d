"""How much one connection may send, in kernels: the rules of `domain.limits`, once more.

Token buckets of a second for what is normal, counters for floods; a test compares the two.
"""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, layout, signature
from sidetone.voice_sfu.domain.limits import FLOOD_FACTOR, FLOOD_SECONDS
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW

PASS: Final = 0
DROP: Final = 1
CLOSE: Final = 2

_NS_PER_SECOND: Final = 1_000_000_000
_BITS_PER_BYTE: Final = 8

RATES: Final = layout(packets=np.float64, bits=np.float64)
"""Packets and bits a second; a burst is a second's worth."""


@kernel("int64(float64, float64, int64)")
def _judge(amount: float, limit: float, full: int) -> int:
    if amount < limit:
        return PASS
    return CLOSE if full >= FLOOD_SECONDS - 1 else DROP


@kernel(signature("void", ROW, RATES, "int64"))
def _begin_second(row: Record, rates: Record, second: int) -> None:
    """Count how many seconds on end were full of each: at the limit ten times what is normal."""
    if second == row.second:
        return
    follows = second == row.second + 1
    packets = rates.packets * FLOOD_FACTOR
    arrivals_full = follows and row.second_arrivals >= packets
    packets_full = follows and row.second_packets >= packets
    bits_full = follows and row.second_bits >= rates.bits * FLOOD_FACTOR
    row.full_arrivals = row.full_arrivals + 1 if arrivals_full else 0
    row.full_packets = row.full_packets + 1 if packets_full else 0
    row.full_bits = row.full_bits + 1 if bits_full else 0
    row.second_arrivals = row.second_packets = row.second_bits = 0.0
    row.second = second


@kernel(signature("int64", ROW, RATES, "int64"))
def arrived(row: Record, rates: Record, now_ns: int) -> int:
    """Judge a packet before it is opened: a flood is not even decrypted."""
    _begin_second(row, rates, now_ns // _NS_PER_SECOND)
    row.second_arrivals += 1.0
    return _judge(row.second_arrivals, rates.packets * FLOOD_FACTOR, row.full_arrivals)


@kernel(signature("void", ROW))
def excuse(row: Record) -> None:
    """Allow one packet more in this second: what we send is acknowledged."""
    row.second_arrivals -= 1.0


@kernel(signature("int64", ROW, RATES, "int64", "int64"))
def take(row: Record, rates: Record, length: int, now_ns: int) -> int:
    """Judge a frame of *length* bytes."""
    bits = np.float64(length * _BITS_PER_BYTE)
    _begin_second(row, rates, now_ns // _NS_PER_SECOND)
    row.second_packets += 1.0
    row.second_bits += bits
    verdict = max(
        _judge(row.second_packets, rates.packets * FLOOD_FACTOR, row.full_packets),
        _judge(row.second_bits, rates.bits * FLOOD_FACTOR, row.full_bits),
    )
    if verdict == CLOSE:
        return CLOSE
    share = (now_ns - row.filled_ns) / _NS_PER_SECOND
    row.filled_ns = now_ns
    row.packets = min(row.packets + share * rates.packets, rates.packets)
    row.bits = min(row.bits + share * rates.bits, rates.bits)
    if row.packets < 1.0:
        return DROP
    row.packets -= 1.0
    if row.bits < bits:
        return DROP
    row.bits -= bits
    return PASS
