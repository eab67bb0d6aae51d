"""Choose an emoji: by looking through them, by searching, or one of those used last."""

from collections.abc import Callable
from typing import Final

import flet as ft
import msgspec

from sidetone.desktop.domain import emoji
from sidetone.desktop.domain.preferences import RECENT_EMOJI_MAX
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.written import EmojiPicture
from sidetone.protocol.servers import Emoji

_WIDTH: Final = 388
_HEIGHT: Final = 330
_FOUND_MAX: Final = 72
_ICONS: Final[dict[str, ft.IconData]] = {
    "faces": ft.Icons.EMOJI_EMOTIONS_OUTLINED,
    "people": ft.Icons.BACK_HAND_OUTLINED,
    "nature": ft.Icons.PETS,
    "food": ft.Icons.RESTAURANT,
    "play": ft.Icons.SPORTS_ESPORTS_OUTLINED,
    "places": ft.Icons.DIRECTIONS_CAR_OUTLINED,
    "things": ft.Icons.LIGHTBULB_OUTLINE,
    "signs": ft.Icons.EMOJI_SYMBOLS,
}


def pick_emoji(pane: Pane, chosen: Callable[[str], None], *, by_id: bool = False) -> None:
    """Open the picker; *chosen* gets an emoji, or one of the server's: ``:name:``, or its id."""

    def choose(picked: emoji.Emoji | Emoji) -> None:
        pane.view.close()
        if isinstance(picked, emoji.Emoji):
            text = picked.text
        else:
            text = str(picked.id) if by_id else f":{picked.name}:"
        _remember(pane, text)
        chosen(text)

    pane.view.open(
        ft.AlertDialog(
            content=ft.Container(hooks.apart(EmojiPicker, pane, choose)),
            content_padding=ft.Padding.all(12),
            alignment=ft.Alignment(0.5, 0.85),
            bgcolor=theme.SHEET,
            barrier_color=ft.Colors.with_opacity(0.15, "#000000"),
            shape=ft.RoundedRectangleBorder(radius=14),
        )
    )


@ft.component
def EmojiPicker(pane: Pane, choose: Callable[[emoji.Emoji | Emoji], None]) -> ft.Control:
    """Draw the search, the groups, and the emoji of the one that is open."""
    sought, set_sought = hooks.state("")
    group, set_group = hooks.state("recent")
    shown = emoji.matching(sought, _FOUND_MAX) if sought.strip() else _of(pane, group)
    own = _own(pane, sought.strip().casefold()) if sought.strip() or group == "own" else []

    def first() -> None:
        best = next(iter([*own, *shown]), None)
        if best is not None:
            choose(best)

    search = kit.field(
        "emoji-search",
        tr("Search emoji"),
        sought,
        set_sought,
        autofocus=True,
        dense=True,
        on_submit=first,
    )
    cells = [_own_cell(pane, each, choose) for each in own]
    cells += [_cell(each, choose) for each in shown]
    return kit.semantics(
        "emoji-picker",
        ft.Column(
            [
                search,
                _groups(pane, group, set_group),
                ft.Container(
                    ft.Column(
                        [ft.Row(cells, wrap=True, spacing=0, run_spacing=0)],
                        scroll=ft.ScrollMode.AUTO,
                    ),
                    height=_HEIGHT - 110,
                ),
            ],
            width=_WIDTH,
            height=_HEIGHT,
            spacing=8,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        tr("Emoji"),
    )


def _own(pane: Pane, word: str) -> list[Emoji]:
    found = pane.community.emoji.values() if pane.community is not None else ()
    return [each for each in found if word in each.name.casefold()]


def _of(pane: Pane, group: str) -> list[emoji.Emoji]:
    if group == "recent":
        used = pane.view.core.preferences.current.recent_emoji or emoji.FIRST_RECENT
        return [emoji.Emoji(text, emoji.name_of(text)) for text in used]
    return list(emoji.groups().get(group, ()))


def _remember(pane: Pane, text: str) -> None:
    """Keep an emoji among those used last; those of servers are found with their server."""
    keep = pane.view.core.preferences
    if text.isascii():
        return
    used = (text, *(each for each in keep.current.recent_emoji or emoji.FIRST_RECENT))
    recent = tuple(dict.fromkeys(used))[:RECENT_EMOJI_MAX]
    keep.change(msgspec.structs.replace(keep.current, recent_emoji=recent))


def _groups(pane: Pane, group: str, choose: Callable[[str], None]) -> ft.Control:
    names: list[tuple[str, ft.IconData, str]] = [
        ("recent", ft.Icons.SCHEDULE, tr("Used last")),
        ("faces", _ICONS["faces"], tr("Faces")),
        ("people", _ICONS["people"], tr("People")),
        ("nature", _ICONS["nature"], tr("Nature")),
        ("food", _ICONS["food"], tr("Food")),
        ("play", _ICONS["play"], tr("Play")),
        ("places", _ICONS["places"], tr("Places")),
        ("things", _ICONS["things"], tr("Things")),
        ("signs", _ICONS["signs"], tr("Signs")),
    ]
    if pane.community is not None and pane.community.emoji:
        names.insert(1, ("own", ft.Icons.STAR_OUTLINE, tr("Of this server")))

    def choosing(name: str) -> Callable[[], None]:
        return lambda: choose(name)

    return ft.Row(
        [
            kit.icon_button(
                f"emoji-group-{name}",
                icon,
                label,
                choosing(name),
                color=theme.ACCENT if name == group else theme.QUIET,
                width=34,
                height=34,
                padding=0,
            )
            for name, icon, label in names
        ],
        spacing=2,
    )


def _cell(each: emoji.Emoji, choose: Callable[[emoji.Emoji | Emoji], None]) -> ft.Control:
    button = ft.Container(
        ft.Text(each.text, size=22, font_family_fallback=[theme.EMOJI]),
        width=38,
        height=38,
        border_radius=8,
        alignment=ft.Alignment.CENTER,
        ink=True,
        tooltip=f":{each.name}:",
        on_click=lambda: choose(each),
    )
    return kit.semantics(f"emoji-{each.name}", button, each.name, button=True)


def _own_cell(
    pane: Pane, each: Emoji, choose: Callable[[emoji.Emoji | Emoji], None]
) -> ft.Control:
    picture = hooks.keyed(
        str(each.id), EmojiPicture, pane.view, pane.account, each.file, each.name, 26
    )
    button = ft.Container(
        picture,
        width=38,
        height=38,
        border_radius=8,
        alignment=ft.Alignment.CENTER,
        ink=True,
        on_click=lambda: choose(each),
    )
    return kit.semantics(f"emoji-{each.name}", button, each.name, button=True)
