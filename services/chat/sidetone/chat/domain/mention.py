"""Whom a message calls: users, roles, everyone.

What is written is ``<@user id>``, ``<@&role id>``, ``@everyone`` and ``@here``; what does not
resolve is plain text, and so is everything inside code.
"""

import re
from uuid import UUID

import msgspec

from sidetone.chat.domain.message import outside_code
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, RoleId, UserId
from sidetone.protocol.messages import Message

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_USER = re.compile(f"<@({_UUID})>")
_ROLE = re.compile(f"<@&({_UUID})>")
_EVERYONE = re.compile(r"(?<![\w@])@(?:everyone|here)\b")


class Mentions(msgspec.Struct, frozen=True):
    """Who is called, each once, in the order of the text."""

    users: list[UserId] = []
    roles: list[RoleId] = []
    everyone: bool = False

    def subjects(self, community: Community) -> list[UUID]:
        """Return what mentions are counted by; everyone is called by the server's id."""
        return [*self.users, *self.roles, *([community.server.id] if self.everyone else [])]

    def with_user(self, user: UserId, community: Community, channel: ChannelId) -> "Mentions":
        """Return these and *user*, if they see *channel*: who is answered is called as well."""
        if user in self.users or not community.sees(user, channel):
            return self
        return msgspec.structs.replace(self, users=[*self.users, user])

    def put_into(self, message: Message) -> Message:
        """Return *message* with these as what it mentions."""
        return msgspec.structs.replace(
            message,
            mentions=self.users,
            mentioned_roles=self.roles,
            mentions_everyone=self.everyone,
        )


NOBODY = Mentions()


def parse(text: str) -> Mentions:
    """Return whom *text* names, whether they exist or not.

    >>> parse("hey @everyone, not `@here`").everyone, parse("mail@everyone").everyone
    (True, False)
    """
    if "@" not in text:
        return NOBODY
    spoken = outside_code(text)
    return Mentions(
        [UserId(id_) for id_ in dict.fromkeys(map(UUID, _USER.findall(spoken)))],
        [RoleId(id_) for id_ in dict.fromkeys(map(UUID, _ROLE.findall(spoken)))],
        _EVERYONE.search(spoken) is not None,
    )


def resolve(
    named: Mentions, community: Community, channel: ChannelId, allowed: Permission
) -> Mentions:
    """Return whom *named* calls in *channel*, written by somebody who is *allowed* this.

    Only who sees the channel is called. Roles that are not mentionable, and everyone, take
    ``MENTION_EVERYONE``; without it the words stay and call nobody.
    """
    if named is NOBODY:
        return NOBODY
    loud = Permission.MENTION_EVERYONE in allowed
    return Mentions(
        [user for user in named.users if community.sees(user, channel)],
        [
            role
            for role in named.roles
            if (known := community.roles.get(role)) is not None
            and role != community.server.id
            and (loud or known.mentionable)
        ],
        everyone=named.everyone and loud,
    )
