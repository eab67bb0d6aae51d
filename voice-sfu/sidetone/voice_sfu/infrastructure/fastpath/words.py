"""Places in the words of a media thread; each that another thread writes has a cache line."""

from typing import Final

# Notices for asyncio: how many were put, and how many taken.
PUT: Final = 0
TAKEN: Final = 8
STOP: Final = 16
# How much is in use of what a batch fills, and of what is held for rows that are busy.
TOUCHED: Final = 24
FRAMES: Final = 25
HELD: Final = 26
# The list of rows that are owed an acknowledgement.
ACKS_FIRST: Final = 27
ACKS_COUNT: Final = 28
NOTICED: Final = 29
LOST_NOTICES: Final = 30
EVIDENCE: Final = 31
SOCKET: Final = 32
WAKE: Final = 33
# The number one, for the eventfd.
ONE: Final = 34
# The socket for small packets or -1, and when it was looked at.
BESIDE: Final = 35
LOOKED_NS: Final = 36
# DATAGRAM frames of the packet for aioquic that were passed on already, and whose it is.
PASSED: Final = 37
PASSED_ROW: Final = 38
COUNT: Final = 40
