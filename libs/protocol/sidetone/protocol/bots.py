"""Bots: users that are programs."""

from typing import Literal, TypeAlias

import msgspec

from sidetone.protocol.ids import UserId
from sidetone.protocol.requests import Answer, Body

BotScope: TypeAlias = Literal["read", "write", "voice", "manage"]


class CreateBot(Body, frozen=True):
    """``POST /auth/bots``."""

    name: str
    scopes: list[BotScope]


class EditBot(Body, frozen=True):
    """``PATCH /auth/bots/{bot}``."""

    scopes: list[BotScope] | msgspec.UnsetType = msgspec.UNSET
    display_name: str | msgspec.UnsetType = msgspec.UNSET


class Bot(Answer, frozen=True):
    """One of ``GET /auth/bots``: a user that a program is, and what its tokens are good for."""

    user: UserId
    name: str
    display_name: str
    scopes: list[BotScope]
    created_at_ms: int


class BotToken(Answer, frozen=True):
    """A bot with its *token*, which is shown this one time."""

    bot: Bot
    token: str


class LogInBot(Body, frozen=True):
    """``POST /auth/bots/token``: the bot's own token for an access token."""

    token: str


class BotLoggedIn(Answer, frozen=True):
    """The access token of a bot; when it is over, the same token brings the next one."""

    user: UserId
    name: str
    access_token: str
    expires_at_ms: int
