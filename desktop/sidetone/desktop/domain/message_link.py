"""Links that lead to one message."""

from sidetone.protocol.ids import ChannelId, MessageId, ServerId


def link_of(address: str, server: ServerId, channel: ChannelId, message: MessageId) -> str:
    """Return what to hand round so that others who see *message* find it.

    >>> link_of("sidetone://play.example:8443#PIN", *"abc")
    'sidetone://play.example:8443/servers/a/channels/b/messages/c#PIN'
    """
    base, mark, pin = address.strip().partition("#")
    path = f"/servers/{server}/channels/{channel}/messages/{message}"
    return f"{base.rstrip('/')}{path}{mark}{pin}"
