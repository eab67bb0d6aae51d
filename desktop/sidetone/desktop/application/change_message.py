"""Change a message that is there: its words, its reactions, its pin; or delete it.

Each is shown when the server says that it is so: it answers at once, and then all see the same.
"""

from sidetone.desktop.application.account import Account
from sidetone.protocol.events import MessageEdited, MessagesDeleted
from sidetone.protocol.messages import Message, Reaction


async def edit_message(account: Account, message: Message, text: str) -> None:
    """Let an own message say *text*; the same as before, or nothing, changes nothing."""
    text = text.strip()
    if not text or text == message.text:
        return
    edited = await account.client.api.messages.edit(message.channel, message.id, text)
    account.told(account.knowledge.apply(MessageEdited(edited), account.clock.now_ms()))


async def delete_message(account: Account, message: Message) -> None:
    """Delete a message for everybody."""
    await account.client.api.messages.delete(message.channel, message.id)
    gone = MessagesDeleted(message.channel, [message.id])
    account.told(account.knowledge.apply(gone, account.clock.now_ms()))


async def toggle_reaction(account: Account, message: Message, emoji: str) -> None:
    """Put an emoji to a message, or take one's own away."""
    api, given = account.client.api.messages, reaction_of(message, emoji)
    if given is not None and given.mine:
        await api.unreact(message.channel, message.id, emoji)
    else:
        await api.react(message.channel, message.id, emoji)


async def toggle_pin(account: Account, message: Message) -> None:
    """Pin a message in its channel, or take the pin off."""
    api = account.client.api.messages
    change = api.unpin if message.pinned else api.pin
    await change(message.channel, message.id)


def reaction_of(message: Message, emoji: str) -> Reaction | None:
    """Return how many answered with *emoji*."""
    return next((each for each in message.reactions if each.emoji == emoji), None)
