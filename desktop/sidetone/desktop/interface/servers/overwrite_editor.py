"""What one channel says of one subject: allow, as by their roles, or deny, for each ability."""

from functools import partial
from typing import Final
from uuid import UUID

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.audit_words import permission_names
from sidetone.desktop.domain.overwrites import (
    State,
    overwrite_of,
    replaced,
    settable,
    state_of,
    with_state,
)
from sidetone.desktop.domain.permission_words import Ability, abilities_of
from sidetone.desktop.domain.see_as_role import SeenAs, with_overwrites
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing
from sidetone.desktop.interface.later import Later
from sidetone.desktop.interface.settings.parts import group, setting
from sidetone.desktop.interface.turns import slices
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import RoleId, ServerId, UserId
from sidetone.protocol.servers import Channel, Overwrite

# Lines of abilities that are drawn in one turn, and how high one is about.
_AT_ONCE: Final = 2
_LINE_HEIGHT: Final = 56


@ft.component
def OverwriteEditor(view: View, account: Account, channel: Channel, subject: UUID) -> ft.Control:
    """Edit the three states, and see what follows before it is saved."""
    community = account.knowledge.communities[ServerId(channel.server)]
    kind = "role" if subject in community.roles else "member"
    before = overwrite_of(channel, subject, kind)
    now = hooks.entry((before.allow, before.deny))
    doing = Doing()
    own = community.permissions(account.id, channel.id, account.clock.now_ms())

    async def save() -> None:
        everyone = "everyone" if subject == community.server.id else subject
        channels = account.client.api.channels
        await channels.overwrite(channel.id, everyone, allow=now.value[0], deny=now.value[1])
        view.notice(tr("Saved."))

    wish = Overwrite(subject, kind, *now.value)
    follows = _follows(account, channel, wish)
    words = tr("May then: {abilities}", abilities=permission_names(follows) or tr("nothing"))
    groups = [
        group(
            each.title,
            *(_lines(view, part, now, own) for part in slices(each.abilities, _AT_ONCE)),
        )
        for each in abilities_of(settable(channel.kind))
    ]
    return ft.Column(
        [
            kit.semantics("overwrite-preview", kit.text(words, "small", theme.QUIET), words),
            *doing.shown("overwrite-problem"),
            ft.Row(
                [kit.button("overwrite-save", tr("Save"), lambda: view.start(doing.run(save)))]
            ),
            *groups,
        ],
        spacing=14,
        tight=True,
    )


def _follows(account: Account, channel: Channel, wish: Overwrite) -> Permission:
    """Return what the subject may do in the channel once *wish* is saved."""
    community = account.knowledge.communities[ServerId(channel.server)]
    twin = with_overwrites(community, channel, replaced(channel, wish))
    if wish.kind == "role":
        return SeenAs(twin, RoleId(wish.subject)).abilities(channel.id)
    return twin.permissions(UserId(wish.subject), channel.id, account.clock.now_ms())


def _lines(
    view: View, abilities: tuple[Ability, ...], now: hooks.Entry[tuple[int, int]], own: Permission
) -> ft.Control:
    """Return a few lines, drawn in their turn, and again when one of them is another."""
    states = tuple(state_of(*now.value, each.permission) for each in abilities)
    lacking = tuple(each.permission not in own for each in abilities)
    height = _LINE_HEIGHT * len(abilities)
    key = str(abilities[0].permission.name)
    return hooks.keyed(key, Later, view, height, _LINES, abilities, states, lacking, now)


@ft.component
def Lines(
    abilities: tuple[Ability, ...],
    states: tuple[State, ...],
    lacking: tuple[bool, ...],
    now: hooks.Entry[tuple[int, int]],
) -> ft.Control:
    """Draw abilities with their three states."""

    def choose(permission: Permission, state: State) -> None:
        now.set(with_state(*now.value, permission, state))

    lines = zip(abilities, states, lacking, strict=True)
    return ft.Column([_line(*each, choose) for each in lines], spacing=12, tight=True)


_LINES = hooks.memo(Lines)


def _line(
    ability: Ability,
    current: State,
    lacking: bool,
    choose: kit.Handler,
) -> ft.Control:
    why_not = tr("You do not have this permission yourself.") if lacking else ""
    states: list[tuple[State, str, ft.IconData, str]] = [
        ("deny", tr("Deny"), ft.Icons.CLOSE, theme.BAD),
        ("inherit", tr("As by their roles"), ft.Icons.REMOVE, theme.TEXT),
        ("allow", tr("Allow"), ft.Icons.CHECK, theme.GOOD),
    ]
    buttons: list[ft.Control] = [
        kit.icon_button(
            f"overwrite-{ability.permission.name}-{state}",
            icon,
            f"{ability.name}: {label}",
            partial(choose, ability.permission, state),
            color=color if state == current else theme.FAINT,
            bgcolor=theme.CHOSEN if state == current else None,
            disabled=lacking,
        )
        for state, label, icon, color in states
    ]
    return setting(ability.name, why_not or ability.explanation, ft.Row(buttons, spacing=2))
