"""Write a message: it is shown at once, and sent when there is a connection."""

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.timeline import Pending
from sidetone.desktop.domain.topics import Topic, topics
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, MessageId


def send_message(
    account: Account,
    channel: ChannelId,
    text: str,
    *,
    reply_to: MessageId | None = None,
    files: tuple[File, ...] = (),
) -> None:
    """Write *text* in *channel*; one of nothing but spaces and no files is not written.

    Raises ``Invalid`` when very many messages wait to be sent.
    """
    text = text.strip()
    if not text and not files:
        return
    nonce = str(account.clock.new_id())
    account.outbox.put(channel, Pending(nonce, text, account.clock.now_ms(), reply_to, files))


def send_again(account: Account, channel: ChannelId, nonce: str) -> None:
    """Try once more to send what was refused."""
    timeline = account.knowledge.timeline(channel)
    for pending in [each for each in timeline.pending if each.nonce == nonce]:
        withdraw(account, channel, nonce)
        send_message(
            account, channel, pending.text, reply_to=pending.reply_to, files=pending.files
        )


def withdraw(account: Account, channel: ChannelId, nonce: str) -> None:
    """Let go of a message that was not sent."""
    account.outbox.withdraw(nonce)
    account.knowledge.timeline(channel).withdraw(nonce)
    account.told(topics(Topic("messages", channel)))
