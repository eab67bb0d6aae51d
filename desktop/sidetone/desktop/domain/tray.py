"""What the icon in the tray shows of the client, and what can be chosen there."""

from typing import Literal, TypeAlias

import msgspec

from sidetone.desktop.domain.wording import tr

Choice: TypeAlias = Literal["show", "mute", "deafen", "quit"]


class TrayState(msgspec.Struct, frozen=True):
    """How things stand: in a call or not, heard or not, and whether something waits unread."""

    in_call: bool = False
    muted: bool = False
    deafened: bool = False
    unread: bool = False


def label_of(choice: Choice, state: TrayState) -> str:
    """Return what *choice* is called now.

    >>> label_of("mute", TrayState()), label_of("mute", TrayState(muted=True))
    ('Mute', 'Unmute')
    """
    match choice:
        case "show":
            return tr("Show Sidetone")
        case "mute":
            return tr("Unmute") if state.muted else tr("Mute")
        case "deafen":
            return tr("Undeafen") if state.deafened else tr("Deafen")
        case "quit":
            return tr("Quit")


def title_of(state: TrayState) -> str:
    """Return the one line that the icon says when somebody points at it."""
    if not state.in_call:
        return tr("Sidetone: something is unread") if state.unread else tr("Sidetone")
    if state.deafened:
        return tr("Sidetone: in a call, deafened")
    return tr("Sidetone: in a call, muted") if state.muted else tr("Sidetone: in a call")
