"""Ways into calls over REST; the calls themselves are QUIC."""

from sidetone.client.requests import Requests
from sidetone.protocol.calls import JoinVoice, VoiceTicket
from sidetone.protocol.ids import ChannelId, DeviceId


class Voice:
    """Tickets, and calls that ring."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def join(self, channel: ChannelId, device: DeviceId) -> VoiceTicket:
        """Return where the call of *channel* is and the ticket that opens the door once."""
        path = f"/voice/channels/{channel}/join"
        return await self._requests.ask("POST", path, VoiceTicket, JoinVoice(device))
