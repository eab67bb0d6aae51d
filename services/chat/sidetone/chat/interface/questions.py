"""The questions that chat answers for other services."""

from sidetone.bus import Bus
from sidetone.chat.application.what_may_user_do import WhatMayUserDo
from sidetone.protocol import questions


async def answer_questions(bus: Bus, what_may_user_do: WhatMayUserDo) -> None:
    """Register every answer."""

    async def rights(question: questions.WhatMayUserDo) -> questions.ChannelRights:
        return await what_may_user_do(question.user, question.channel)

    await bus.answer(questions.WhatMayUserDo, rights)
