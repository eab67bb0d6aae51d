"""Write a message: it is kept, shown at once, and sent when there is a connection."""

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.timeline import Pending
from sidetone.desktop.domain.topics import Topic, topics
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, MessageId


async def send_message(
    account: Account,
    channel: ChannelId,
    text: str,
    *,
    reply_to: MessageId | None = None,
    files: tuple[File, ...] = (),
) -> None:
    """Write *text* in *channel*; one of nothing but spaces and no files is not written.

    Raises ``Invalid`` when very many messages wait to be sent, ``Unavailable`` for a full disk.
    """
    text = text.strip()
    if not text and not files:
        return
    nonce = str(account.clock.new_id())
    message = Pending(nonce, text, account.clock.now_ms(), reply_to, files)
    await account.outbox.put(channel, message)


async def withdraw(account: Account, channel: ChannelId, nonce: str) -> None:
    """Let go of a message that was not sent."""
    account.knowledge.timeline(channel).withdraw(nonce)
    account.told(topics(Topic("pending", channel)))
    await account.outbox.withdraw(nonce)
