"""Write a message: it is shown at once, and sent when there is a connection."""

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.timeline import Pending
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, MessageId


def send_message(
    account: Account,
    channel: ChannelId,
    text: str,
    *,
    reply_to: MessageId | None = None,
    files: list[File] | None = None,
) -> None:
    """Write *text* in *channel*; one of nothing but spaces and no files is not written.

    Raises ``Invalid`` when very many messages wait to be sent.
    """
    text, attached = text.strip(), files or []
    if not text and not attached:
        return
    nonce = str(account.clock.new_id())
    names = tuple(file.name for file in attached)
    pending = Pending(nonce, text, account.clock.now_ms(), reply_to, names)
    account.outbox.put(channel, pending, [file.id for file in attached])


def send_again(account: Account, channel: ChannelId, nonce: str) -> None:
    """Try once more to send what was refused."""
    timeline = account.knowledge.timeline(channel)
    for pending in [each for each in timeline.pending if each.nonce == nonce]:
        timeline.withdraw(nonce)
        send_message(account, channel, pending.text, reply_to=pending.reply_to)
