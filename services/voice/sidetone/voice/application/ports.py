"""What the use cases need from the outside, in their own words."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.credentials.tickets import Ticket
from sidetone.protocol.calls import VoiceState
from sidetone.protocol.events import NodeAlive, VoiceRights
from sidetone.protocol.ids import CallId, ChannelId, DeviceId, LoginId, UserId
from sidetone.voice.domain.call import CallState


class Placements(Protocol):
    """Which unit was given a room of which no unit reports yet."""

    async def claim(
        self, room: ChannelId, wanted: NodeAlive, nodes: Sequence[NodeAlive]
    ) -> NodeAlive:
        """Return the unit among *nodes* that has the room: *wanted*, unless one was earlier."""
        ...


class Entries(Protocol):
    """Through which login which device got into which room, remembered for a day."""

    async def add(self, login: LoginId, channel: ChannelId, device: DeviceId) -> None:
        """Remember that *device* got a ticket for *channel* through *login*."""
        ...

    async def of(self, login: LoginId) -> Sequence[tuple[ChannelId, DeviceId]]:
        """Return the rooms and devices of *login*."""
        ...


class Watermarks(Protocol):
    """The latest rights of users in voice channels, remembered for a while.

    A ticket of an earlier generation than the watermark is void.
    """

    async def raise_to(self, rights: Sequence[VoiceRights], now_ms: int) -> Sequence[VoiceRights]:
        """Store *rights* and return those that are not older than what is stored."""
        ...

    async def recent(self, now_ms: int) -> Sequence[VoiceRights]:
        """Return the rights that changed lately, the latest first."""
        ...


class TicketKeys(Protocol):
    """The keys of this deployment's tickets."""

    @property
    def kid(self) -> int:
        """Return the number of the key that signs now."""
        ...

    def sign(self, ticket: Ticket) -> bytes:
        """Return the ticket on the wire, signed with its ``kid``."""
        ...

    def public_keys(self) -> dict[int, bytes]:
        """Return what verifies tickets: ``kid`` to Ed25519 public key."""
        ...


class ShownRoom(msgspec.Struct, frozen=True):
    """Who is shown in a room, and what tells this version from any other."""

    states: list[VoiceState]
    version: bytes


class ShownRooms(Protocol):
    """Who is shown in which room: shared by all replicas, and forgotten by itself."""

    async def of(self, channel: ChannelId) -> ShownRoom | None:
        """Return who is shown in *channel*; None: nothing is known, and that is nobody."""
        ...

    async def show(
        self, channel: ChannelId, before: ShownRoom | None, states: list[VoiceState]
    ) -> bool:
        """Show *states* from now on; False if another one was faster than *before*."""
        ...


class Stored(msgspec.Struct, frozen=True):
    """A call as it was read: a change of it holds only if it is still the same."""

    state: CallState
    version: int


class Calls(Protocol):
    """Calls, going on and past; a change is announced to the parties with its storing."""

    async def add(self, call: CallState, due_ms: int) -> bool:
        """Store a new call; False if there is an open one in its channel."""
        ...

    async def change(self, before: Stored, after: CallState, due_ms: int | None) -> bool:
        """Store *after*; False, and nothing is done, if the call changed since it was read."""
        ...

    async def find(self, call: CallId) -> Stored | None:
        """Return a call."""
        ...

    async def open_in(self, channel: ChannelId) -> Stored | None:
        """Return the call that goes on in *channel*."""
        ...

    async def open_of(self, user: UserId) -> list[CallState]:
        """Return the calls that go on and that *user* is told of."""
        ...

    async def due(self, now_ms: int) -> list[CallId]:
        """Return some open calls that it is time to look at."""
        ...

    async def history(
        self, user: UserId, channel: ChannelId | None, before: CallId | None, limit: int
    ) -> list[CallState]:
        """Return calls that *user* was told of, the latest first, from *before* on."""
        ...

    async def forget(self, user: UserId) -> None:
        """Forget the history of *user*."""
        ...
