"""Ways into calls over REST; the calls themselves are QUIC."""

from sidetone.client.requests import Requests
from sidetone.protocol.calls import Call, CallRecord, JoinVoice, MoveMember, VoiceTicket
from sidetone.protocol.ids import CallId, ChannelId, DeviceId, UserId
from sidetone.protocol.requests import Page


class Voice:
    """Tickets, and calls that ring."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def join(self, channel: ChannelId, device: DeviceId) -> VoiceTicket:
        """Return where the call of *channel* is and the ticket that opens the door once."""
        path = f"/voice/channels/{channel}/join"
        return await self._requests.ask("POST", path, VoiceTicket, JoinVoice(device))

    async def move(self, source: ChannelId, user: UserId, target: ChannelId) -> None:
        """Move a member to another voice channel of the server."""
        path = f"/voice/channels/{source}/members/{user}/move"
        await self._requests.tell("POST", path, MoveMember(target))

    async def disconnect(self, channel: ChannelId, user: UserId) -> None:
        """Take a member out of a voice channel; they may come back."""
        await self._requests.tell("DELETE", f"/voice/channels/{channel}/members/{user}")

    async def call(self, channel: ChannelId) -> Call:
        """Call the others of a conversation, or answer the call that goes on there."""
        return await self._requests.ask("POST", f"/voice/channels/{channel}/call", Call)

    async def accept(self, call: CallId) -> Call:
        """Take a call on this device; the others stop ringing."""
        return await self._requests.ask("POST", f"/voice/calls/{call}/accept", Call)

    async def decline(self, call: CallId) -> Call:
        """Turn a call down."""
        return await self._requests.ask("POST", f"/voice/calls/{call}/decline", Call)

    async def cancel(self, call: CallId) -> Call:
        """Take back a call that nobody has answered."""
        return await self._requests.ask("POST", f"/voice/calls/{call}/cancel", Call)

    async def calls(
        self, channel: ChannelId | None = None, cursor: str | None = None
    ) -> Page[CallRecord]:
        """Return a page of the account's calls, the latest first."""
        query = {"channel": channel, "cursor": cursor}
        return await self._requests.ask("GET", "/voice/calls", Page[CallRecord], query=query)
