"""The HTTP face of voice. Parses, calls one use case, returns what it returned."""

from uuid import UUID

from litestar import Router, post

from sidetone.protocol.calls import JoinVoice as Wish
from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.voice.application.join_voice import JoinVoice


def routes(join_voice: JoinVoice) -> Router:
    """Bind the use cases to their paths."""

    @post("/channels/{channel:uuid}/join", status_code=200)
    async def join(channel: UUID, user: UserId, data: Wish) -> VoiceTicket:
        return await join_voice(ChannelId(channel), user, data.device)

    return Router("/voice", route_handlers=[join])
