"""Tell others that something is being written, now and then."""

from typing import Final

from sidetone.desktop.application.account import Account
from sidetone.protocol.ids import ChannelId

# It is shown to others for eight seconds.
AGAIN_MS: Final = 5_000


class TellTyping:
    """The notices of one channel: at most one every few seconds, and none for whom hides it."""

    def __init__(self, account: Account, channel: ChannelId) -> None:
        self._account = account
        self._channel = channel
        self._told_at_ms = 0

    def due(self) -> bool:
        """Return whether others should be told now, and count that as done."""
        now_ms = self._account.clock.now_ms()
        if now_ms - self._told_at_ms < AGAIN_MS or self._account.connection != "online":
            return False
        self._told_at_ms = now_ms
        return True

    def sent(self) -> None:
        """Begin anew: a message ends the typing for all who see it."""
        self._told_at_ms = 0

    async def __call__(self) -> None:
        """Tell who sees the channel."""
        await self._account.client.api.messages.typing(self._channel)
