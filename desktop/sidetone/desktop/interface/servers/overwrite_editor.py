"""What one channel says of one subject: allow, as by their roles, or deny, for each ability."""

from functools import partial
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
from sidetone.desktop.interface.settings.parts import group, setting
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import RoleId, ServerId, UserId
from sidetone.protocol.servers import Channel, Overwrite


@ft.component
def OverwriteEditor(view: View, account: Account, channel: Channel, subject: UUID) -> ft.Control:
    """Edit the three states, and see what follows before it is saved."""
    community = account.knowledge.communities[ServerId(channel.server)]
    kind = "role" if subject in community.roles else "member"
    before = overwrite_of(channel, subject, kind)
    now, set_now = hooks.state((before.allow, before.deny))
    doing = Doing()
    own = community.permissions(account.id, channel.id, account.clock.now_ms())

    async def save() -> None:
        everyone = "everyone" if subject == community.server.id else subject
        channels = account.client.api.channels
        await channels.overwrite(channel.id, everyone, allow=now[0], deny=now[1])
        view.notice(tr("Saved."))

    def choose(permission: Permission, state: State) -> None:
        set_now(with_state(*now, permission, state))

    wish = Overwrite(subject, kind, *now)
    follows = _follows(account, channel, wish)
    words = tr("May then: {abilities}", abilities=permission_names(follows) or tr("nothing"))
    groups = [
        group(
            each.title,
            *(_line(ability, now, own, choose) for ability in each.abilities),
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


def _line(
    ability: Ability, now: tuple[int, int], own: Permission, choose: kit.Handler
) -> ft.Control:
    current = state_of(*now, ability.permission)
    lacking = ability.permission not in own
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
