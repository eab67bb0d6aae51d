"""What other services know, asked over the bus."""

from collections import OrderedDict
from collections.abc import Sequence

from sidetone.bus import Bus
from sidetone.protocol.files import File, FilePurpose
from sidetone.protocol.ids import FileId, UserId
from sidetone.protocol.questions import ClaimFiles, Contact, MayContact, WhoAre
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.runtime.clock import Clock

_KEPT_MS = 30_000
_KEPT_MAX = 10_000


class AskedClaims:
    """Files, which media keeps."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def claim(self, user: UserId, purpose: FilePurpose, file: FileId) -> File:
        """Take what *user* uploaded into use. Raises ``NotFound`` or ``Conflict``."""
        (claimed,) = await self._bus.ask(ClaimFiles(user, purpose, [file]))
        return claimed


class AskedContacts:
    """People, whom auth knows, and relationships, which presence keeps.

    What stands between the same two is asked every 30 s at most, and after it was heard that it
    changed: each message in a conversation wants to know it. While nobody can answer, the last
    answer holds.
    """

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._known: OrderedDict[tuple[UserId, UserId], tuple[int, Contact]] = OrderedDict()

    async def between(self, user: UserId, others: Sequence[UserId]) -> dict[UserId, Contact]:
        """Return what stands between *user* and each of *others*. Raises ``Unavailable``."""
        now_ms = self._clock.now_ms()
        known = {
            other: self._known[user, other] for other in others if (user, other) in self._known
        }
        old = [
            other
            for other in others
            if other not in known or not 0 <= now_ms - known[other][0] < _KEPT_MS
        ]
        contacts = {other: contact for other, (_, contact) in known.items()}
        if old:
            try:
                answer = await self._bus.ask(MayContact(user, old))
            except Unavailable:
                if len(known) < len(others):
                    raise
                return contacts
            self._keep(user, answer, now_ms)
            contacts |= answer
        return contacts

    async def require_known(self, users: Sequence[UserId]) -> None:
        """Refuse users that do not exist. Raises ``NotFound``, or ``Unavailable``."""
        if len(await self._bus.ask(WhoAre(list(users)))) < len(users):
            raise NotFound("user_unknown", "there is no such user")

    def forget(self, one: UserId, other: UserId) -> None:
        """Ask again: something changed between the two."""
        self._known.pop((one, other), None)
        self._known.pop((other, one), None)

    def _keep(self, user: UserId, answer: dict[UserId, Contact], now_ms: int) -> None:
        for other, contact in answer.items():
            self._known[user, other] = now_ms, contact
            self._known.move_to_end((user, other))
        while len(self._known) > _KEPT_MAX:
            self._known.popitem(last=False)
