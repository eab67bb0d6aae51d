"""Bots: users that are programs, owned by a user who answers for them."""

from collections.abc import Sequence

import msgspec

from sidetone.protocol.bots import BotScope
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Invalid

BOTS_PER_ACCOUNT_MAX = 25
# By which people and scanners of repositories know such a secret when they see one.
TOKEN_PREFIX = "stbot_"  # noqa: S105 - says what a token is, and is none


class BotRecord(msgspec.Struct, frozen=True):
    """A bot; *login* is what the access tokens of its present secret name."""

    user: UserId
    owner: UserId
    login: LoginId
    name: str
    display_name: str
    scopes: list[BotScope]
    created_at_ms: int


def scopes_of(wanted: Sequence[BotScope]) -> list[BotScope]:
    """Return *wanted* in order and once each. Raises ``Invalid`` if there are none."""
    if not wanted:
        raise Invalid("scopes_missing", "say what the bot may do: read, write, voice, manage")
    return sorted(set(wanted))
