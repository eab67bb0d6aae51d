"""The questions that voice answers: for the forwarding units, and for what sessions begin with."""

from sidetone.bus import Bus
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.questions import MANY_MAX, Briefing, CallsOf, VoiceStatesIn
from sidetone.protocol.questions import BriefNode as BriefingWanted
from sidetone.protocol.refusals import Invalid
from sidetone.voice.application.brief_node import BriefNode
from sidetone.voice.application.list_calls import ListCalls
from sidetone.voice.application.show_rooms import ShowRooms


async def answer_questions(
    bus: Bus, brief_node: BriefNode, show_rooms: ShowRooms, list_calls: ListCalls
) -> None:
    """Register every answer."""

    async def briefing(_: BriefingWanted) -> Briefing:
        return await brief_node()

    async def voice_states(question: VoiceStatesIn) -> list[VoiceState]:
        if len(question.servers) > MANY_MAX:
            raise Invalid("too_many", f"ask for at most {MANY_MAX} servers at once")
        return show_rooms.states_in(question.servers)

    async def calls(question: CallsOf) -> list[Call]:
        return await list_calls.open_of(question.user)

    await bus.answer(BriefingWanted, briefing)
    await bus.answer(VoiceStatesIn, voice_states)
    await bus.answer(CallsOf, calls)
