"""Where a window is: which screen it shows, of what."""

from typing import Literal, TypeAlias

import msgspec

from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId

# `friends` is the home of an account, where nobody's server is open.
Screen: TypeAlias = Literal[
    "sign_in", "friends", "server", "server_settings", "settings", "overlay"
]
# What stands beside the messages.
Panel: TypeAlias = Literal["members", "search", "pins", "threads", "none"]


class Place(msgspec.Struct, frozen=True):
    """One place a window can be at; *thread* is open beside *channel*, *message* is jumped to.

    *section* is the part of the settings that is open.
    """

    screen: Screen = "sign_in"
    account: UserId | None = None
    server: ServerId | None = None
    channel: ChannelId | None = None
    thread: ChannelId | None = None
    message: MessageId | None = None
    panel: Panel = "members"
    section: str = ""
