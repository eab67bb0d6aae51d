"""Somebody as a line of a list: face, name, and how they are there."""

from typing import Any

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.people import channel_of, others_in, title_of
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.forms import UserFace
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.user_area import DOTS, status_words
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.social import Status


def status_of(account: Account, user: UserId) -> Status:
    """Return how *user* is seen."""
    presence = account.knowledge.presences.get(user)
    return presence.status if presence is not None else "offline"


def doing(account: Account, user: UserId) -> str:
    """Say what *user* does, or how they are there."""
    presence = account.knowledge.presences.get(user)
    if presence is not None and presence.game:
        return tr("Plays {game}", game=presence.game)
    if presence is not None and presence.text:
        return presence.text
    return status_words(status_of(account, user))


def face(
    view: View, account: Account, user: UserId, radius: float = 16, ground: Any = theme.SIDE
) -> ft.Control:
    """Return the picture of *user* with a dot for their status."""
    return UserFace(view, account, user, radius, DOTS[status_of(account, user)], ground)


def name_lines(account: Account, user: UserId, words: str) -> ft.Control:
    """Return a name over quiet *words*."""
    name = names.name_of(account.knowledge, user)
    return ft.Column(
        [kit.line(name, "name"), kit.line(words, "small", theme.QUIET)],
        spacing=0,
        expand=True,
        tight=True,
    )


def group_face(radius: float = 16) -> ft.Control:
    """Return what stands for a conversation of several."""
    return ft.CircleAvatar(
        content=ft.Icon(ft.Icons.GROUP, size=radius, color=theme.ON_ACCENT),
        bgcolor=theme.ACCENT,
        radius=radius,
    )


def show_conversation(view: View, account: Account, server: ServerId) -> None:
    """Go to a conversation and read it."""
    conversation = account.knowledge.communities.get(server)
    if conversation is not None:
        view.go(screen="friends", account=account.id, server=server)
        view.open_channel(account, ChannelId(channel_of(conversation).id))


def conversation_words(account: Account, server: ServerId) -> str:
    """Return how many are in a group, or what the one other does."""
    conversation = account.knowledge.communities[server]
    others = others_in(account.knowledge, conversation)
    if conversation.server.kind == "direct" and others:
        return doing(account, others[0])
    return tr("{n} people", n=len(conversation.members))


def conversation_title(account: Account, server: ServerId) -> str:
    """Return what a conversation is called, or nothing once it is gone."""
    conversation = account.knowledge.communities.get(server)
    return title_of(account.knowledge, conversation) if conversation is not None else ""
