"""What a member may do in one channel, and who may change that."""

import msgspec

from sidetone.permissions import EVERYONE, Overwrite, Permission, effective
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Forbidden, Invalid, NotFound
from sidetone.protocol.servers import Channel, ChannelKind

# What is about calls has no meaning in a text channel, and is never granted there.
_CALL = (
    Permission.CONNECT
    | Permission.SPEAK
    | Permission.VIDEO
    | Permission.PRIORITY_SPEAKER
    | Permission.MUTE_MEMBERS
    | Permission.MOVE_MEMBERS
)
_OF_TEXT = Permission.VIEW_CHANNEL | Permission.MANAGE_CHANNELS | Permission.MANAGE_PERMISSIONS


class Membership(msgspec.Struct, frozen=True):
    """What a user may do in one channel, and the facts from which that follows.

    ``generation`` counts the changes of the server: a later answer has a greater one.
    """

    channel: Channel
    owner: UserId
    user: UserId
    generation: int
    everyone: Overwrite
    member: Overwrite

    @property
    def permissions(self) -> Permission:
        """Return what the member may do here; nothing if the channel is hidden from them."""
        granted = effective(EVERYONE, self.everyone, self.member, is_owner=self.user == self.owner)
        return granted if self.channel.kind == "voice" else granted & ~_CALL

    @property
    def sees(self) -> bool:
        """Return whether the channel exists for the member."""
        return Permission.VIEW_CHANNEL in self.permissions

    def require(self, needed: Permission) -> None:
        """Refuse unless *needed* is granted; a hidden channel does not exist."""
        if not self.sees:
            raise unknown_channel()
        if needed not in self.permissions:
            raise Forbidden(
                "permission_missing", f"you need {needed.name} in this channel; ask its owner"
            )

    def require_may_change(self, subject: UserId | None, old: Overwrite, new: Overwrite) -> None:
        """Refuse an overwrite of *subject* (None: everyone) that is above the member.

        Every bit that changes, in either mask, must be one that they hold themselves: taking a
        denial away grants as much as an allowance does.
        """
        self.require(Permission.MANAGE_PERMISSIONS)
        if subject == self.owner:
            raise Forbidden("owner_above_overwrites", "what the owner may do cannot be changed")
        lacking = ((old.allow ^ new.allow) | (old.deny ^ new.deny)) & ~self.permissions
        if lacking:
            raise Forbidden(
                "permission_lacking", f"you cannot give or take what you lack: {lacking.name}"
            )


def checked_overwrite(kind: ChannelKind, allow: int, deny: int) -> Overwrite:
    """Return the overwrite, if its bits mean something in a channel of *kind*.

    Raises ``Invalid``; powers over the whole server (invites, kicks) are no channel's to give.

    >>> checked_overwrite("voice", 0, int(Permission.SPEAK)).deny
    <Permission.SPEAK: 4>
    """
    known = _OF_TEXT | _CALL if kind == "voice" else _OF_TEXT
    if (allow | deny) & ~int(known):
        raise Invalid(
            "permission_unsettable", f"a {kind} channel can allow or deny only {known.name}"
        )
    return Overwrite(Permission(allow), Permission(deny))


def unknown_channel() -> NotFound:
    """Return the one refusal for channels that are absent, hidden, or in another server."""
    return NotFound("channel_unknown", "there is no such channel, or you may not see it")
