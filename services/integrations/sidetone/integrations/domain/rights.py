"""Who may set up what other programs hear and say in a server."""

from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, NotFound
from sidetone.protocol.servers import Channel


def unknown_webhook() -> NotFound:
    """Return the refusal for a webhook that does not exist, or is none of the asker's business."""
    return NotFound("webhook_unknown", "there is no such webhook, or it is not for you")


def unknown_channel() -> NotFound:
    """Return the refusal for a channel that does not exist, or that the asker does not see."""
    return NotFound("channel_unknown", "there is no such channel, or you cannot see it")


def require_webhooks(community: Community, user: UserId, now_ms: int) -> None:
    """Refuse unless *user* may manage webhooks. Strangers learn that there is nothing.

    Conversations have none: what is said there is told to nobody.
    """
    if user not in community.members:
        raise NotFound("server_unknown", "there is no such server, or it is not for you")
    if community.server.kind != "community":
        raise Conflict("conversation_has_no_webhooks", "only a server has webhooks")
    if Permission.MANAGE_WEBHOOKS not in community.standing(user, now_ms):
        raise Forbidden(
            "permission_missing", "you need MANAGE_WEBHOOKS here; ask who runs the server"
        )


def channel_to_write_in(community: Community, user: UserId, channel: ChannelId) -> Channel:
    """Return *channel*, which *user* sees. Raises ``NotFound``, or ``Conflict`` for a category."""
    found = community.channels.get(channel)
    if found is None or not community.sees(user, channel):
        raise unknown_channel()
    if found.kind == "category":
        raise Conflict(
            "channel_holds_no_messages", "a category holds channels; write in one of them"
        )
    return found
