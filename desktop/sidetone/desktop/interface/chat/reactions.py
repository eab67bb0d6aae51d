"""The emoji under a message: how many gave each, who, and whether one did oneself."""

from uuid import UUID

import flet as ft

from sidetone.desktop.application.change_message import toggle_reaction
from sidetone.desktop.domain import emoji, names
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.emoji_picker import pick_emoji
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.written import EmojiPicture
from sidetone.permissions import Permission
from sidetone.protocol.messages import Message, Reaction
from sidetone.protocol.servers import Emoji

# Names in a tooltip; the others are a number.
_NAMED_MAX = 12
_PIXELS = 17


@ft.component
def Reactions(pane: Pane, message: Message) -> ft.Control:
    """Draw all of them, and the button for one more."""
    chips = [
        hooks.keyed(each.emoji, ReactionChip, pane, message, each) for each in message.reactions
    ]
    if pane.may(Permission.ADD_REACTIONS):
        more = ft.Container(
            ft.Icon(ft.Icons.ADD_REACTION_OUTLINED, size=16, color=theme.QUIET),
            padding=ft.Padding.symmetric(horizontal=7, vertical=4),
            border_radius=9,
            bgcolor=theme.RAISED,
            ink=True,
            tooltip=tr("Add a reaction"),
            on_click=lambda: react(pane, message),
        )
        chips.append(
            kit.semantics(f"add-reaction-{message.id}", more, tr("Add a reaction"), button=True)
        )
    return ft.Container(
        ft.Row(chips, spacing=6, run_spacing=6, wrap=True), padding=ft.Padding.only(top=2)
    )


def react(pane: Pane, message: Message) -> None:
    """Let the user choose an emoji and put it to *message*."""
    pick_emoji(
        pane, lambda text: pane.start(toggle_reaction(pane.account, message, text)), by_id=True
    )


@ft.component
def ReactionChip(pane: Pane, message: Message, reaction: Reaction) -> ft.Control:
    """Draw one; a click joins in or takes it back, and resting on it tells who gave it."""
    own = own_emoji(pane, reaction.emoji)
    called = f":{own.name}:" if own is not None else emoji.name_of(reaction.emoji)
    who, set_who = hooks.state(called)

    async def ask() -> None:
        api = pane.account.client.api.messages
        page = await api.who_reacted(message.channel, message.id, reaction.emoji)
        users = page.items[:_NAMED_MAX]
        missing = pane.account.knowledge.unknown(users)
        if missing:
            pane.account.learn(*await pane.account.client.api.accounts.users(missing))
        known = [names.name_of(pane.account.knowledge, user, pane.community) for user in users]
        set_who(_told(called, known, reaction.count))

    def hover(event: ft.Event[ft.Container]) -> None:
        if event.data:
            pane.start(ask())

    chip = ft.Container(
        ft.Row(
            [
                _picture(pane, reaction.emoji, own),
                kit.text(
                    str(reaction.count), "label", theme.TEXT if reaction.mine else theme.QUIET
                ),
            ],
            tight=True,
            spacing=6,
        ),
        bgcolor=theme.CHOSEN if reaction.mine else theme.RAISED,
        border=ft.Border.all(1, theme.ACCENT if reaction.mine else theme.LINE),
        border_radius=9,
        padding=ft.Padding.symmetric(horizontal=8, vertical=2),
        tooltip=who,
        ink=True,
        on_hover=hover,
        on_click=lambda: pane.start(toggle_reaction(pane.account, message, reaction.emoji)),
    )
    label = trn("{emoji}: {n} person", "{emoji}: {n} people", reaction.count, emoji=called)
    return kit.semantics(
        f"reaction-{called}-{message.id}", chip, label, button=True, selected=reaction.mine
    )


def own_emoji(pane: Pane, text: str) -> Emoji | None:
    """Return the server's own emoji that *text* is the id of."""
    try:
        id_ = UUID(text)
    except ValueError:
        return None
    return pane.community.emoji.get(id_) if pane.community is not None else None


def _picture(pane: Pane, text: str, own: Emoji | None) -> ft.Control:
    if own is None:
        return ft.Text(
            text if len(text) < 36 else "?", size=_PIXELS - 3, font_family_fallback=[theme.EMOJI]
        )
    return hooks.keyed("own", EmojiPicture, pane.view, pane.account, own.file, own.name, _PIXELS)


def _told(called: str, known: list[str], count: int) -> str:
    people = ", ".join(known)
    if count > len(known):
        more = trn("and {n} more", "and {n} more", count - len(known))
        people = f"{people} {more}"
    return f"{called}\n{people}"
