"""Where a window is: which screen it shows, of what."""

from contextlib import suppress
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId

# `start` is where one waits for accounts whose machines are away; `friends` is the home of an
# account, where nobody's server is open. `overlay` and `watch` fill a
# window of their own: who speaks, and what somebody shows.
# `start` is where one waits for accounts whose server machines do not answer yet.
Screen: TypeAlias = Literal[
    "start", "sign_in", "friends", "server", "server_settings", "settings", "overlay", "watch"
]
# What stands beside the messages.
Panel: TypeAlias = Literal["members", "search", "pins", "threads", "none"]


class Place(msgspec.Struct, frozen=True):
    """One place a window can be at; *thread* is open beside *channel*, *message* is jumped to.

    *section* is the part of the settings that is open, *watching* whose screen one looks at.
    """

    screen: Screen = "sign_in"
    account: UserId | None = None
    server: ServerId | None = None
    channel: ChannelId | None = None
    thread: ChannelId | None = None
    message: MessageId | None = None
    panel: Panel = "members"
    section: str = ""
    watching: UserId | None = None


def place_at(route: str, account: UserId | None) -> Place:
    """Return where a window begins that is opened at *route*.

    >>> place_at("/overlay", None).screen, place_at("/watch/nonsense", None).screen
    ('overlay', 'friends')
    """
    kind, _, of = route.strip("/").partition("/")
    if kind == "overlay":
        return Place("overlay", account)
    if kind == "watch":
        with suppress(ValueError):
            return Place("watch", account, watching=UserId(UUID(of)))
    return Place("friends", account)
