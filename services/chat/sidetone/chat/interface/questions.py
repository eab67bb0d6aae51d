"""The questions that chat answers for other services."""

from sidetone.bus import Bus
from sidetone.chat.application.note_deed import NoteDeed
from sidetone.chat.application.places import Places
from sidetone.chat.application.ports import Servers
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.application.track_reading import TrackReading
from sidetone.chat.application.write_for_program import WriteForProgram
from sidetone.protocol import questions
from sidetone.protocol.ids import ServerId
from sidetone.protocol.messages import Message, ReadState
from sidetone.protocol.servers import ServerState


async def answer_questions(bus: Bus, see: SeeServers, servers: Servers, places: Places) -> None:
    """Register every answer about servers."""

    async def rights(question: questions.WhatMayUserDo) -> questions.ChannelRights:
        return await see.rights(question.user, question.channel)

    async def servers_of(question: questions.ServersOf) -> list[ServerId]:
        return [server.id for server in await servers.of(question.user)]

    async def server(question: questions.DescribeServer) -> ServerState:
        await places.catch_up(await places.community(question.server))
        return (await places.community(question.server)).state()

    async def channel(question: questions.DescribeChannel) -> ServerState:
        community, _ = await places.find(question.channel)
        await places.catch_up(community)
        return (await places.community(community.server.id)).state()

    await bus.answer(questions.WhatMayUserDo, rights)
    await bus.answer(questions.ServersOf, servers_of)
    await bus.answer(questions.DescribeServer, server)
    await bus.answer(questions.DescribeChannel, channel)


async def answer_read_states(bus: Bus, reading: TrackReading) -> None:
    """Register the answer about what is unread."""

    async def states(question: questions.ReadStatesOf) -> list[ReadState]:
        return await reading.states(question.user)

    await bus.answer(questions.ReadStatesOf, states)


async def answer_programs(bus: Bus, write: WriteForProgram, note_deed: NoteDeed) -> None:
    """Register the answers to programs that write, and to those who set them up."""

    async def message(question: questions.WriteMessage) -> Message:
        return await write(question)

    async def note(question: questions.NoteDeed) -> None:
        await note_deed(question)

    await bus.answer(questions.WriteMessage, message)
    await bus.answer(questions.NoteDeed, note)
