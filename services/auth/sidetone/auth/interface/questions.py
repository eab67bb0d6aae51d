"""The questions that auth answers for other services."""

from sidetone.auth.application.issue_grant import IssueGrant
from sidetone.auth.application.ports import SigningKeys
from sidetone.bus import Bus
from sidetone.protocol import questions
from sidetone.protocol.questions import IssuedGrant, TokenKeys


async def answer_questions(bus: Bus, issue_grant: IssueGrant, keys: SigningKeys) -> None:
    """Register every answer."""

    async def token_keys(_: TokenKeys) -> bytes:
        return keys.token_key_set

    async def grant(question: questions.IssueGrant) -> IssuedGrant:
        return await issue_grant(question.user, question.device, question.channel)

    await bus.answer(TokenKeys, token_keys)
    await bus.answer(questions.IssueGrant, grant)
