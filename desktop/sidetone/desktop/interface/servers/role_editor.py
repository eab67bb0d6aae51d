"""One role: its name and colour, what it may do, and who has it."""

import re
from functools import partial
from typing import Final

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.permission_words import Abilities, Ability, all_abilities
from sidetone.desktop.domain.readable_color import readable
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing, ask
from sidetone.desktop.interface.later import Later
from sidetone.desktop.interface.servers.role_members import RoleMembers
from sidetone.desktop.interface.servers.server_menu import standing_in
from sidetone.desktop.interface.settings.parts import group, toggle
from sidetone.desktop.interface.turns import slices
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import EditRole, Role

_COLOR: Final = re.compile(r"[0-9A-Fa-f]{6}")
# What is offered at a click; any other colour can be typed.
_COLORS: Final = (
    0x35D07F, 0x41B6E6, 0x6C7BFF, 0xC76BF2, 0xFF6FB5, 0xF2545B, 0xFF8F6B, 0xF5B84B, 0x9AA5B8,
)  # fmt: skip

# Lines of abilities that are drawn in one turn, and how high one is about.
_AT_ONCE: Final = 2
_LINE_HEIGHT: Final = 56


class _Draft:
    """What a role shall be once it is saved: the hooks of its editor."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.name = hooks.entry(role.name)
        self.color = hooks.entry(_hex(role.color))
        self.hoisted, self.set_hoisted = hooks.state(role.hoisted)
        self.mentionable, self.set_mentionable = hooks.state(role.mentionable)
        self.bits = hooks.entry(role.permissions)

    def wish(self) -> EditRole:
        """Return what to ask for. Raises ``Invalid`` for a colour that is none."""
        color = _color(self.color.value)
        return EditRole(self.name.value, self.bits.value, color, self.hoisted, self.mentionable)


@ft.component
def RoleEditor(view: View, account: Account, server: ServerId, role: Role) -> ft.Control:
    """Edit *role*; what its rank forbids is disabled, with the reason."""
    standing = standing_in(account, server)
    why_not = standing.why_not_role(role)
    everyone = role.position == 0
    draft = _Draft(role)
    doing = Doing()

    async def save() -> None:
        await account.client.api.members.edit_role(server, role.id, draft.wish())
        view.notice(tr("Saved."))

    async def delete() -> None:
        await account.client.api.members.delete_role(server, role.id)
        view.go(section="roles")

    def sure() -> None:
        words = tr("It is taken from everybody who has it.")
        ask(view, tr("Delete {name}?", name=role.name), words, tr("Delete"), delete)

    actions: list[ft.Control] = []
    if not why_not:
        actions.append(kit.button("role-save", tr("Save"), lambda: view.start(doing.run(save))))
        if not everyone:
            actions.append(kit.button("role-delete", tr("Delete role"), sure, kind="quiet"))
    lock = [kit.semantics("role-locked", _notice(why_not), why_not)] if why_not else []
    looks = [] if everyone else _looks(view, draft, why_not)
    members = [] if everyone else [_members(view, account, server, role)]
    permissions = [
        _abilities(view, standing.permissions, abilities, draft.bits, why_not)
        for abilities in all_abilities()
    ]
    buttons = ft.Row(actions, spacing=8)
    return ft.Column(
        [*lock, *looks, buttons, *doing.shown("role-problem"), *members, *permissions],
        spacing=16,
        tight=True,
    )


def _looks(view: View, draft: _Draft, why_not: str) -> list[ft.Control]:
    """Return how the role is called and shown."""
    name = draft.name
    return [
        kit.field(
            "role-name",
            tr("Name"),
            name.value,
            name.set,
            max_length=100,
            read_only=bool(why_not),
        ),
        _colors(view, draft.color, why_not),
        toggle(
            "role-hoisted",
            tr("Show apart"),
            tr("Its members stand under its name in the list of members."),
            draft.hoisted,
            draft.set_hoisted,
            why_not=why_not,
        ),
        toggle(
            "role-mentionable",
            tr("Everyone may mention it"),
            tr("Who writes @{role} calls all who have it.", role=name.value),
            draft.mentionable,
            draft.set_mentionable,
            why_not=why_not,
        ),
    ]


def _members(view: View, account: Account, server: ServerId, role: Role) -> ft.Control:
    members = hooks.keyed("members", RoleMembers, view, account, server, role.id)
    return group(tr("Members of this role"), members)


def _abilities(
    view: View, own: Permission, abilities: Abilities, bits: hooks.Entry[int], why_not: str
) -> ft.Control:
    lacking = tr("You do not have this permission yourself.")
    parts: list[ft.Control] = []
    for part in slices(abilities.abilities, _AT_ONCE):
        given = tuple(bool(bits.value & each.permission) for each in part)
        reasons = tuple(why_not or ("" if each.permission in own else lacking) for each in part)
        key, height = str(part[0].permission.name), _LINE_HEIGHT * len(part)
        parts.append(hooks.keyed(key, Later, view, height, _TOGGLES, part, given, reasons, bits))
    return group(abilities.title, *parts)


@ft.component
def Toggles(
    abilities: tuple[Ability, ...],
    given: tuple[bool, ...],
    reasons: tuple[str, ...],
    bits: hooks.Entry[int],
) -> ft.Control:
    """Draw abilities that are given or not, and why one cannot be."""

    def put(bit: int, on: bool) -> None:
        bits.set(bits.value | bit if on else bits.value & ~bit)

    lines = [
        toggle(
            f"may-{each.permission.name}",
            each.name,
            each.explanation,
            on,
            partial(put, int(each.permission)),
            why_not=reason,
        )
        for each, on, reason in zip(abilities, given, reasons, strict=True)
    ]
    return ft.Column(lines, spacing=12, tight=True)


_TOGGLES = hooks.memo(Toggles)


def _colors(view: View, color: hooks.Entry[str], why_not: str) -> ft.Control:
    swatches = [
        kit.semantics(
            f"color-{_hex(each)}",
            ft.Container(
                width=26,
                height=26,
                border_radius=13,
                bgcolor=readable(each, view.palette.raised),
                border=ft.Border.all(2, theme.TEXT) if _hex(each) == color.value else None,
                ink=True,
                on_click=None if why_not else partial(color.set, _hex(each)),
            ),
            tr("Colour {color}", color=_hex(each)),
            button=True,
        )
        for each in _COLORS
    ]
    typed = kit.field(
        "role-color",
        tr("Colour"),
        color.value,
        color.set,
        hint_text="#RRGGBB",
        width=140,
        read_only=bool(why_not),
    )
    return ft.Row([typed, *swatches], spacing=8, wrap=True)


def _notice(why_not: str) -> ft.Control:
    words = ft.Row(
        [ft.Icon(ft.Icons.LOCK_OUTLINE, size=16, color=theme.WARNING), kit.text(why_not, "small")],
        spacing=8,
    )
    return ft.Container(words, bgcolor=theme.RAISED, border_radius=8, padding=10)


def _hex(color: int | None) -> str:
    return "" if color is None else f"#{color:06X}"


def _color(text: str) -> int | None:
    """Read a colour as it was typed; nothing: none. Raises ``Invalid``."""
    digits = text.strip().removeprefix("#")
    if not digits:
        return None
    if not _COLOR.fullmatch(digits):
        raise Invalid("color_unreadable", tr("Write a colour as #RRGGBB, or nothing for none."))
    return int(digits, 16)
