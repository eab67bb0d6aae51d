"""Slash commands: what a bot can be asked in a channel, and how it answers."""

from typing import Literal, TypeAlias

import msgspec

from sidetone.protocol.ids import (
    ChannelId,
    CommandId,
    InvocationId,
    MessageId,
    ServerId,
    UserId,
)
from sidetone.protocol.requests import Answer, Body

# A user and a channel are given by their ids.
OptionKind: TypeAlias = Literal["text", "integer", "number", "boolean", "user", "channel"]
OptionValue: TypeAlias = str | int | float | bool


class CommandOption(msgspec.Struct, frozen=True):
    """Something that a command is told; with *choices* one of these texts."""

    name: str
    description: str
    kind: OptionKind = "text"
    required: bool = False
    choices: list[str] = []


class NewCommand(msgspec.Struct, frozen=True):
    """A command as its bot describes it."""

    name: str
    description: str
    options: list[CommandOption] = []


class RegisterCommands(Body, frozen=True):
    """``PUT /integrations/commands``: all that a bot can be asked, in the place of before."""

    commands: list[NewCommand]


class Command(Answer, frozen=True):
    """One of ``GET /integrations/servers/{server}/commands``: *name* may be another bot's too."""

    id: CommandId
    bot: UserId
    name: str
    description: str
    options: list[CommandOption] = []


class InvokeCommand(Body, frozen=True):
    """``POST /integrations/channels/{channel}/commands/{command}``."""

    options: dict[str, OptionValue] = {}


class Invocation(Answer, frozen=True):
    """One use of a command: who asks what of which bot, and where."""

    id: InvocationId
    command: str
    bot: UserId
    user: UserId
    server: ServerId
    channel: ChannelId
    options: dict[str, OptionValue] = {}


class AnswerInvocation(Body, frozen=True):
    """``POST /integrations/invocations/{invocation}/answer``: within three seconds.

    *deferred* says that the answer takes longer, up to a quarter of an hour; then a second one
    follows with the text. An *ephemeral* text is seen by who asked, and kept nowhere.
    """

    text: str = ""
    ephemeral: bool = False
    deferred: bool = False


class CommandInvoked(msgspec.Struct, frozen=True, tag="command.invoked"):
    """Somebody uses a command of the bot that is told: it has three seconds to answer."""

    invocation: Invocation


class CommandAnswered(msgspec.Struct, frozen=True, tag="command.answered"):
    """What became of a command, told to who used it.

    *text* is an answer for their eyes only, *message* one that all see in the channel. ``late``:
    the bot said nothing in time.
    """

    invocation: InvocationId
    channel: ChannelId
    bot: UserId
    state: Literal["deferred", "answered", "late"]
    text: str = ""
    message: MessageId | None = None
