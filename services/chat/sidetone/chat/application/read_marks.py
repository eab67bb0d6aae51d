"""How far people have read."""

from collections.abc import Sequence
from typing import Protocol

from sidetone.chat.domain.reading import Reading
from sidetone.protocol.ids import MessageId, UserId
from sidetone.protocol.messages import ReadState


class ReadMarks(Protocol):
    """The mark of each user in each channel, and what comes after it."""

    async def states(self, user: UserId, readings: Sequence[Reading]) -> list[ReadState]:
        """Return how *user* stands in each of *readings*, in their order."""
        ...

    async def mark(
        self, user: UserId, reading: Reading, message: MessageId, *, backwards: bool
    ) -> ReadState:
        """Move the mark to *message*, tell the user's sessions, and return how it stands.

        A mark that would move back stays, unless *backwards*.
        """
        ...

    async def forget_user(self, user: UserId) -> None:
        """Forget how far *user* has read."""
        ...
