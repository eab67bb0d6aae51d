"""Places in the words of a media thread; the one that another thread writes has a cache line."""

from typing import Final

STOP: Final = 0
# How much is in use of what a batch fills, and of what is held for rows that are busy.
TOUCHED: Final = 8
FRAMES: Final = 9
HELD: Final = 10
# The list of rows that are owed an acknowledgement.
ACKS_FIRST: Final = 11
ACKS_COUNT: Final = 12
EVIDENCE: Final = 13
SOCKET: Final = 14
# The socket for small packets or -1, and when it was looked at.
BESIDE: Final = 15
LOOKED_NS: Final = 16
COUNT: Final = 24
