"""Servers without their people: taken from one, checked, and made into another.

Roles and channels are told by their index in the document. What a document cannot express (what
single members were allowed, threads, emoji) is left out.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from sidetone.chat.domain.channel import KINDS_TO_CREATE, checked_level, checked_slow_mode
from sidetone.chat.domain.name import checked_description, checked_name
from sidetone.chat.domain.role import checked_color, checked_permissions, checked_role_name
from sidetone.chat.domain.server import CHANNELS_MAX, ROLES_MAX
from sidetone.community import Community
from sidetone.protocol.ids import ChannelId, RoleId
from sidetone.protocol.refusals import Invalid, NotFound
from sidetone.protocol.servers import (
    Channel,
    Member,
    Overwrite,
    Role,
    Server,
    ServerState,
    TemplateChannel,
    TemplateDocument,
    TemplateOverwrite,
    TemplateRole,
)

TEMPLATES_MAX = 50


def document_of(community: Community) -> TemplateDocument:
    """Return *community* as a template."""
    roles = sorted(community.roles.values(), key=lambda role: (role.position, role.id))
    places = [each for each in community.channels.values() if each.kind in KINDS_TO_CREATE]
    # Categories first: a channel names one that stands before it.
    places.sort(key=lambda each: (each.kind != "category", each.position, each.id))
    role_index = {role.id: index for index, role in enumerate(roles)}
    index = {place.id: number for number, place in enumerate(places)}
    return TemplateDocument(
        community.server.description,
        [_template_role(role) for role in roles],
        [
            TemplateChannel(
                place.name,
                place.kind,
                None if place.parent is None else index.get(place.parent),
                place.topic,
                place.slow_mode_seconds,
                [
                    TemplateOverwrite(role_index[RoleId(each.subject)], each.allow, each.deny)
                    for each in place.overwrites
                    if each.subject in role_index
                ],
            )
            for place in places
        ],
    )


def state_of(
    document: TemplateDocument, server: Server, new_id: Callable[[], UUID], now_ms: int
) -> ServerState:
    """Return the new *server* that *document* describes. Raises ``Invalid``."""
    if not 1 <= len(document.roles) <= ROLES_MAX or len(document.channels) > CHANNELS_MAX:
        raise Invalid("template_too_large", "a template has 1 to 250 roles and up to 500 channels")
    described = msgspec.structs.replace(
        server, description=checked_description(document.description)
    )
    ids = [RoleId(server.id), *(RoleId(new_id()) for _ in document.roles[1:])]
    roles = [_role(*each) for each in zip(ids, range(len(ids)), document.roles, strict=True)]
    channels: list[Channel] = []
    for wish in document.channels:
        channels.append(_channel(ChannelId(new_id()), described, wish, (ids, channels)))
    return ServerState(described, 1, roles, channels, [Member(server.owner, now_ms)])


def unknown_template() -> NotFound:
    """Return the one refusal for codes of templates that lead nowhere."""
    return NotFound("template_unknown", "there is no such template; ask for its code again")


def _template_role(role: Role) -> TemplateRole:
    return TemplateRole(role.name, role.permissions, role.color, role.hoisted, role.mentionable)


def _role(id_: RoleId, position: int, wish: TemplateRole) -> Role:
    return Role(
        id_,
        checked_role_name(wish.name),
        position,
        int(checked_permissions(wish.permissions)),
        checked_color(wish.color),
        wish.hoisted,
        wish.mentionable,
    )


def _channel(
    id_: ChannelId,
    server: Server,
    wish: TemplateChannel,
    known: tuple[Sequence[RoleId], Sequence[Channel]],
) -> Channel:
    roles, channels = known
    if wish.kind not in KINDS_TO_CREATE:
        raise Invalid("kind_unsuitable", "a template holds text and voice channels, categories")
    return Channel(
        id_,
        server.id,
        checked_name(wish.name),
        wish.kind,
        len(channels),
        _parent(wish, channels),
        checked_description(wish.topic),
        checked_slow_mode(wish.slow_mode_seconds),
        [_overwrite(wish, each, roles) for each in wish.overwrites],
    )


def _parent(wish: TemplateChannel, channels: Sequence[Channel]) -> ChannelId | None:
    if wish.parent is None:
        return None
    if not 0 <= wish.parent < len(channels) or wish.kind == "category":
        raise _misplaced()
    parent = channels[wish.parent]
    if parent.kind != "category":
        raise _misplaced()
    return parent.id


def _overwrite(
    wish: TemplateChannel, overwrite: TemplateOverwrite, roles: Sequence[RoleId]
) -> Overwrite:
    others = [each.role for each in wish.overwrites]
    if not 0 <= overwrite.role < len(roles) or others.count(overwrite.role) > 1:
        raise Invalid("template_role_unknown", "an overwrite names each role of the template once")
    level = checked_level(wish.kind, overwrite.allow, overwrite.deny)
    return Overwrite(roles[overwrite.role], "role", int(level.allow), int(level.deny))


def _misplaced() -> Invalid:
    return Invalid("parent_unsuitable", "a parent is a category that stands before the channel")
