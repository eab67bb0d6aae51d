"""Drafts put into tables: what a change makes, replaces and removes."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.domain.draft import Draft
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Channel, Emoji, Member, Role, Server
from sidetone.storage import Transaction, Values

_PUT_ROLE = """
    INSERT INTO roles (id, server, name, position, permissions, color, hoisted, mentionable)
    VALUES (:id, :server, :name, :position, :permissions, :color, :hoisted, :mentionable)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, position = excluded.position,
        permissions = excluded.permissions, color = excluded.color,
        hoisted = excluded.hoisted, mentionable = excluded.mentionable
"""
_PUT_CHANNEL = """
    INSERT INTO channels (id, server, name, kind, position, parent, topic, slow_mode_seconds,
        origin, creator, archived)
    VALUES (:id, :server, :name, :kind, :position, :parent, :topic, :slow_mode_seconds,
        :origin, :creator, :archived)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, position = excluded.position,
        parent = excluded.parent, topic = excluded.topic,
        slow_mode_seconds = excluded.slow_mode_seconds, archived = excluded.archived
"""
_PUT_OVERWRITE = """
    INSERT INTO overwrites (channel, subject, kind, allow, deny)
    VALUES (:channel, :subject, :kind, :allow, :deny)
"""
_PUT_MEMBER = """
    INSERT INTO members (server, member, joined_at_ms, nickname, timeout_until_ms, muted, deafened)
    VALUES (:server, :user, :joined_at_ms, :nickname, :timeout_until_ms, :muted, :deafened)
    ON CONFLICT (server, member) DO UPDATE SET nickname = excluded.nickname,
        timeout_until_ms = excluded.timeout_until_ms, muted = excluded.muted,
        deafened = excluded.deafened
"""
_PUT_MEMBER_ROLE = """
    INSERT INTO member_roles (server, member, role) VALUES (:server, :user, :role)
"""
_PUT_EMOJI = """
    INSERT INTO emoji (id, server, name, file, animated, creator)
    VALUES (:id, :server, :name, :file, :animated, :creator)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name
"""
_PUT_SERVER = """
    UPDATE servers SET name = :name, owner = :owner, description = :description, icon = :icon
    WHERE id = :id
"""
# What hangs at a piece goes before it.
_DROP_ROLE = (
    "DELETE FROM overwrites WHERE subject = :id",
    "DELETE FROM member_roles WHERE role = :id",
    "DELETE FROM roles WHERE id = :id",
)
_DROP_CHANNEL = (
    """
    DELETE FROM overwrites WHERE channel = :id
    OR channel IN (SELECT id FROM channels WHERE parent = :id AND kind = 'thread')
    """,
    "DELETE FROM channels WHERE parent = :id AND kind = 'thread'",
    "DELETE FROM channels WHERE id = :id",
)
_DROP_MEMBER = (
    "DELETE FROM member_roles WHERE server = :server AND member = :id",
    "DELETE FROM members WHERE server = :server AND member = :id",
)
_DROP_EMOJI = ("DELETE FROM emoji WHERE id = :id",)
_DROP_SERVER = (
    "DELETE FROM direct_pairs WHERE server = :server",
    "DELETE FROM reports WHERE server = :server",
    "DELETE FROM audit_log WHERE server = :server",
    "DELETE FROM bans WHERE server = :server",
    "DELETE FROM invites WHERE server = :server",
    "DELETE FROM emoji WHERE server = :server",
    """
    DELETE FROM overwrites
    WHERE channel IN (SELECT id FROM channels WHERE server = :server)
    """,
    "DELETE FROM member_roles WHERE server = :server",
    "DELETE FROM members WHERE server = :server",
    "DELETE FROM channels WHERE server = :server",
    "DELETE FROM roles WHERE server = :server",
    "DELETE FROM servers WHERE id = :server",
)


async def store(rows: Transaction, draft: Draft) -> None:
    """Write what *draft* holds."""
    server = draft.before.server.id
    if draft.deleted:
        for statement in _DROP_SERVER:
            await rows.execute(statement, {"server": server})
        return
    if draft.server is not None:
        await rows.execute(_PUT_SERVER, _values(draft.server, server))
    await _drop(rows, draft)
    await put(rows, server, list(draft.roles.values()), _PUT_ROLE)
    await _put_channels(rows, draft)
    await _put_members(rows, draft)
    await put(rows, server, list(draft.emoji.values()), _PUT_EMOJI)


async def put(
    rows: Transaction,
    server: ServerId,
    pieces: Sequence[Server | Role | Channel | Member | Emoji],
    statement: str,
) -> None:
    """Run *statement* for each of *pieces* of *server*."""
    if pieces:
        await rows.execute_many(statement, [_values(piece, server) for piece in pieces])


async def _put_channels(rows: Transaction, draft: Draft) -> None:
    server = draft.before.server.id
    channels = list(draft.channels.values())
    await put(rows, server, channels, _PUT_CHANNEL)
    for channel in channels:
        before = draft.before.channels.get(channel.id)
        if before is not None and before.overwrites == channel.overwrites:
            continue
        if before is not None:
            await rows.execute(
                "DELETE FROM overwrites WHERE channel = :channel", {"channel": channel.id}
            )
        if channel.overwrites and not channel.archived:
            await rows.execute_many(
                _PUT_OVERWRITE,
                [
                    {"channel": channel.id, **msgspec.structs.asdict(each)}
                    for each in channel.overwrites
                ],
            )


async def _put_members(rows: Transaction, draft: Draft) -> None:
    server = draft.before.server.id
    members = list(draft.members.values())
    await put(rows, server, members, _PUT_MEMBER)
    for member in members:
        before = draft.before.members.get(member.user)
        if before is not None and before.roles == member.roles:
            continue
        values: Values = {"server": server, "user": member.user}
        if before is not None:
            await rows.execute(
                "DELETE FROM member_roles WHERE server = :server AND member = :user", values
            )
        if member.roles:
            await rows.execute_many(
                _PUT_MEMBER_ROLE, [{**values, "role": role} for role in member.roles]
            )


async def _drop(rows: Transaction, draft: Draft) -> None:
    for gone in draft.gone:
        for statement in _ways_out(draft, gone):
            await rows.execute(statement, {"id": gone, "server": draft.before.server.id})


def _ways_out(draft: Draft, gone: UUID) -> Sequence[str]:
    before = draft.before
    if gone in before.members:
        return _DROP_MEMBER
    if gone in before.roles:
        return _DROP_ROLE
    if gone in before.emoji:
        return _DROP_EMOJI
    return _DROP_CHANNEL


def _values(piece: msgspec.Struct, server: ServerId) -> Values:
    return {**msgspec.structs.asdict(piece), "server": server}
