"""The questions that auth answers for other services, and the facts that it follows itself."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sidetone.auth.application.find_users import FindUsers
from sidetone.auth.application.issue_grant import IssueGrant
from sidetone.auth.application.ports import SigningKeys
from sidetone.bus import Bus, Journal
from sidetone.protocol import questions
from sidetone.protocol.accounts import User
from sidetone.protocol.events import Fact
from sidetone.protocol.questions import IssuedGrant, TokenKeys, WhoAre
from sidetone.protocol.refusals import Unavailable

_log = structlog.get_logger(__name__)
_AGAIN_SECONDS = 1.0


async def answer_questions(
    bus: Bus, issue_grant: IssueGrant, keys: SigningKeys, find_users: FindUsers
) -> None:
    """Register every answer."""

    async def token_keys(_: TokenKeys) -> bytes:
        return keys.token_key_set

    async def grant(question: questions.IssueGrant) -> IssuedGrant:
        return await issue_grant(question.user, question.device, question.channel)

    async def who_are(question: WhoAre) -> list[User]:
        return await find_users.many(question.users)

    await bus.answer(TokenKeys, token_keys)
    await bus.answer(questions.IssueGrant, grant)
    await bus.answer(WhoAre, who_are)


async def follow(
    journal: Journal,
    hear: Callable[[Fact], Awaitable[None]],
    then: Callable[[], None] = lambda: None,
) -> None:
    """Follow *journal*, from as soon as it can be reached; call *then* once it is followed."""
    while True:
        try:
            await journal.follow(hear)
        except Unavailable as unavailable:
            _log.warning("journal_not_followed", reason=unavailable.detail)
        except Exception:
            _log.exception("journal_not_followed")
        else:
            then()
            return
        await asyncio.sleep(_AGAIN_SECONDS)
