"""The audit log as sentences: who did what to whom, and what is different since."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from sidetone.desktop.domain.permission_words import all_abilities
from sidetone.desktop.domain.wording import tr
from sidetone.permissions import Permission
from sidetone.protocol.servers import AuditEntry

# Fields that tell a reader nothing.
_SILENT = frozenset({"id", "server", "user", "subject", "kind", "creator", "joined_at_ms", "file"})


class Difference(NamedTuple):
    """One thing that is not as it was: what, before, after."""

    what: str
    before: str
    after: str


def sentence(entry: AuditEntry, actor: str, target: str) -> str:
    """Return what *entry* tells, with the names of who did it and of what it was done to."""
    told = _about_people(entry.action, actor, target) or _about_things(entry.action, actor, target)
    return told or tr("{actor} did something new: {action}", actor=actor, action=entry.action)


def target_name(entry: AuditEntry, known: Callable[[AuditEntry], str | None]) -> str:
    """Return what *entry* was done to: by a name that is *known* now, else by the one it had."""
    return known(entry) or entry.after.get("name") or entry.before.get("name") or "…"


def differences(entry: AuditEntry) -> list[Difference]:
    """Return what was changed, field by field, in words."""
    fields = dict.fromkeys([*entry.before, *entry.after])
    return [
        Difference(
            _field(field),
            _value(field, entry.before.get(field, "")),
            _value(field, entry.after.get(field, "")),
        )
        for field in fields
        if field not in _SILENT
    ]


def _about_people(action: str, actor: str, target: str) -> str | None:
    return {
        "member.edit": tr("{actor} changed {target}", actor=actor, target=target),
        "member.kick": tr("{actor} kicked {target}", actor=actor, target=target),
        "member.leave": tr("{target} left", target=target),
        "member.ban": tr("{actor} banned {target}", actor=actor, target=target),
        "member.unban": tr("{actor} lifted the ban of {target}", actor=actor, target=target),
        "member.role_given": tr("{actor} gave {target} a role", actor=actor, target=target),
        "member.role_taken": tr("{actor} took a role from {target}", actor=actor, target=target),
        "report.resolve": tr("{actor} closed a report", actor=actor),
        "server.transfer": tr("{actor} made somebody else the owner", actor=actor),
    }.get(action)


def _about_things(action: str, actor: str, target: str) -> str | None:
    return {
        "server.edit": tr("{actor} changed the server", actor=actor),
        "channel.create": tr("{actor} created the channel {target}", actor=actor, target=target),
        "channel.edit": tr("{actor} changed the channel {target}", actor=actor, target=target),
        "channel.delete": tr("{actor} deleted the channel {target}", actor=actor, target=target),
        "channel.order": tr("{actor} rearranged the channels", actor=actor),
        "overwrite.set": tr(
            "{actor} changed who may do what in {target}", actor=actor, target=target
        ),
        "role.create": tr("{actor} created the role {target}", actor=actor, target=target),
        "role.edit": tr("{actor} changed the role {target}", actor=actor, target=target),
        "role.delete": tr("{actor} deleted the role {target}", actor=actor, target=target),
        "role.order": tr("{actor} rearranged the roles", actor=actor),
        "invite.create": tr("{actor} created an invite", actor=actor),
        "invite.revoke": tr("{actor} revoked an invite", actor=actor),
        "emoji.create": tr("{actor} added the emoji {target}", actor=actor, target=target),
        "emoji.edit": tr("{actor} renamed the emoji {target}", actor=actor, target=target),
        "emoji.delete": tr("{actor} deleted the emoji {target}", actor=actor, target=target),
        "thread.open": tr("{actor} opened the thread {target}", actor=actor, target=target),
        "thread.change": tr("{actor} changed the thread {target}", actor=actor, target=target),
        "webhook.create": tr("{actor} created the webhook {target}", actor=actor, target=target),
        "webhook.edit": tr("{actor} changed the webhook {target}", actor=actor, target=target),
        "webhook.new_secret": tr(
            "{actor} gave the webhook {target} a new secret", actor=actor, target=target
        ),
        "webhook.delete": tr("{actor} deleted the webhook {target}", actor=actor, target=target),
        "incoming_webhook.create": tr(
            "{actor} lets a program write as {target}", actor=actor, target=target
        ),
        "incoming_webhook.delete": tr(
            "{actor} stopped the program that writes as {target}", actor=actor, target=target
        ),
    }.get(action)


def _field(field: str) -> str:
    known = {
        "name": tr("Name"),
        "description": tr("Description"),
        "icon": tr("Icon"),
        "owner": tr("Owner"),
        "topic": tr("Topic"),
        "position": tr("Position"),
        "parent": tr("Category"),
        "slow_mode_seconds": tr("Slow mode in seconds"),
        "overwrites": tr("Channel permissions"),
        "permissions": tr("Permissions"),
        "color": tr("Colour"),
        "hoisted": tr("Shown apart"),
        "mentionable": tr("Mentionable"),
        "nickname": tr("Nickname"),
        "roles": tr("Roles"),
        "timeout_until_ms": tr("Timeout"),
        "muted": tr("Muted"),
        "deafened": tr("Deafened"),
        "allow": tr("Allowed"),
        "deny": tr("Denied"),
        "archived": tr("Archived"),
        "uses_left": tr("Uses left"),
        "expires_at_ms": tr("Expires"),
        "host": tr("Host"),
        "events": tr("Events"),
    }
    return known.get(field, field)


def _value(field: str, value: str) -> str:
    if value in {"", "null", "[]"}:
        return tr("nothing")
    if value in {"true", "false"}:
        return tr("yes") if value == "true" else tr("no")
    if field in {"permissions", "allow", "deny"} and value.isdigit():
        return permission_names(Permission(int(value))) or tr("nothing")
    if field == "color" and value.isdigit():
        return f"#{int(value):06X}"
    if field in {"roles", "overwrites"}:
        return str(len(msgspec.json.decode(value)))
    return value


def permission_names(permissions: Permission) -> str:
    """Return what *permissions* are called, in one line."""
    return ", ".join(
        each.name
        for group in all_abilities()
        for each in group.abilities
        if each.permission in permissions
    )
