"""What one may do with a message, as the server will see it."""

import msgspec

from sidetone.permissions import Permission
from sidetone.protocol.ids import UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.servers import ChannelKind


class Rights(msgspec.Struct, frozen=True):
    """What is offered; what is not would be refused."""

    reply: bool
    react: bool
    edit: bool
    delete: bool
    pin: bool
    thread: bool


def rights_to(message: Message, me: UserId, allowed: Permission, kind: ChannelKind) -> Rights:
    """Return what *me* may do with *message* where so much is *allowed* in a channel of a *kind*.

    Lines that the server wrote can be deleted by those who manage messages, and nothing else.
    """
    own = message.author == me
    written = message.kind == "text"
    manages = Permission.MANAGE_MESSAGES in allowed
    return Rights(
        reply=written and Permission.SEND_MESSAGES in allowed,
        react=written and Permission.ADD_REACTIONS in allowed,
        edit=written and own and Permission.SEND_MESSAGES in allowed,
        delete=manages or (written and own),
        pin=written and manages,
        thread=written
        and kind == "text"
        and (message.thread is not None or Permission.CREATE_THREADS in allowed),
    )
