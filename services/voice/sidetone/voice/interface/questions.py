"""The questions that voice answers for the forwarding units."""

from sidetone.bus import Bus
from sidetone.protocol import questions
from sidetone.voice.application.brief_node import BriefNode


async def answer_questions(bus: Bus, brief_node: BriefNode) -> None:
    """Register every answer."""

    async def briefing(_: questions.BriefNode) -> questions.Briefing:
        return await brief_node()

    await bus.answer(questions.BriefNode, briefing)
