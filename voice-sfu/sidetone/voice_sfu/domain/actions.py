"""What a room wants done: every method of the room returns all the actions it causes, in order."""

from typing import TypeAlias

import msgspec

from sidetone.protocol.ids import Sender
from sidetone.protocol.voice_control import ServerMessage


class Send(msgspec.Struct, frozen=True):
    """Tell *message* to each of *to*, after what was told before."""

    to: tuple[Sender, ...]
    message: ServerMessage


class Allow(msgspec.Struct, frozen=True):
    """Let the others hear *sender* or not, and let it hear them or not, from now on."""

    sender: Sender
    speaks: bool
    hears: bool


class Close(msgspec.Struct, frozen=True):
    """Say *code* and *detail* to the connection of *sender* and end it; it has left already."""

    sender: Sender
    code: str
    detail: str


Action: TypeAlias = Send | Allow | Close
Actions: TypeAlias = tuple[Action, ...]
