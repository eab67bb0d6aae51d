"""What a change is about: whoever draws something says which topics it follows.

A screen that follows one channel's messages is not drawn anew because somebody elsewhere typed.
"""

from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

Kind: TypeAlias = Literal[
    "accounts",  # which accounts there are, and how each connection fares
    "servers",  # which servers there are, their names and icons
    "server",  # channels, roles, members of one server
    "unread",  # what waits in one channel, in those of one server, or, of none, anywhere
    "messages",  # what is shown of one channel
    "pending",  # what we wrote in one channel and is not sent
    "draft",  # what one is writing in one channel
    "scroll",  # where one is in the history of one channel
    "typing",  # who types in one channel
    "voice",  # who is in one voice channel
    "file",  # one small picture, which is here now
    "people",  # friends, requests, blocks
    "presences",  # whether anybody came or went, and how friends are
    "user",  # one user: name, picture, presence
    "calls",  # who rings
    "call",  # the call one is in: state, roster, keys
    "speaking",  # whether one user's voice is heard now
    "meter",  # the microphone's level
    "link",  # delay and loss of the call
    "focus",  # whether somebody looks at the window
    "place",  # what a window shows
    "preferences",  # what was set
    "language",  # the words of all screens
    "theme",  # the colours of one window, for what is computed from them
    "sound_test",  # whether one hears oneself
    "notices",  # lines for the user
    "updates",  # whether there is a newer version
]


class Topic(NamedTuple):
    """One thing that changes: its *kind*, and which one where there are several."""

    kind: Kind
    of: UUID | None = None


Topics: TypeAlias = frozenset[Topic]


def topics(*found: Topic) -> Topics:
    """Return *found* as what a change was about."""
    return frozenset(found)


NOTHING: Topics = frozenset()
