"""Ask a bot something in a channel."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.bus.tasks import Tasks
from sidetone.community import Community
from sidetone.integrations.application.ports import Commands, Invocations, Open
from sidetone.integrations.domain.command import checked_options, require_known, unknown_command
from sidetone.integrations.domain.rights import unknown_channel
from sidetone.permissions import Permission
from sidetone.protocol.commands import (
    CommandAnswered,
    CommandInvoked,
    Invocation,
    OptionValue,
)
from sidetone.protocol.events import Signal, ToUsers
from sidetone.protocol.ids import ChannelId, CommandId, InvocationId, UserId
from sidetone.protocol.questions import DescribeChannel
from sidetone.protocol.refusals import Forbidden
from sidetone.runtime.clock import Clock
from sidetone.runtime.communities import Communities
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True, slots=True)
class InvokeCommand:
    """The bot is told at once; who asked is told when it says nothing in time."""

    commands: Commands
    invocations: Invocations
    communities: Communities
    bus: Bus
    pace: Limiter
    tasks: Tasks
    clock: Clock
    answer_seconds: float

    async def __call__(
        self,
        channel: ChannelId,
        command: CommandId,
        user: UserId,
        given: Mapping[str, OptionValue],
    ) -> Invocation:
        """Return the invocation that the bot was told of. Raises ``Refusal``."""
        await self.pace.take(user.hex)
        server = (await self.bus.ask(DescribeChannel(channel))).server.id
        community = await self.communities.get(server)
        self._require_may_ask(community, channel, user)
        found = await self.commands.find(command)
        if found is None or not community.sees(found.bot, channel):
            raise unknown_command()
        options = checked_options(found.options, given)
        require_known(found.options, options, community, user)
        invocation = Invocation(
            InvocationId(self.clock.new_id()),
            found.name,
            found.bot,
            user,
            server,
            channel,
            options,
        )
        due_at_ms = self.clock.now_ms() + int(self.answer_seconds * 1_000)
        await self.invocations.open(Open(invocation, due_at_ms))
        await self.bus.publish(Signal(ToUsers([found.bot]), CommandInvoked(invocation)))
        self.tasks.start(self._wait(invocation))
        return invocation

    def _require_may_ask(self, community: Community, channel: ChannelId, user: UserId) -> None:
        """Refuse who could not write in the channel either."""
        permissions = community.permissions(user, channel, self.clock.now_ms())
        if Permission.VIEW_CHANNEL not in permissions:
            raise unknown_channel()
        if Permission.SEND_MESSAGES not in permissions:
            raise Forbidden(
                "permission_missing", "you need SEND_MESSAGES in this channel to use commands"
            )

    async def _wait(self, invocation: Invocation) -> None:
        """Tell who asked if the bot has said nothing when its time is over."""
        await asyncio.sleep(self.answer_seconds)
        if await self.invocations.end_if_unanswered(invocation.id):
            late = CommandAnswered(invocation.id, invocation.channel, invocation.bot, "late")
            await self.bus.publish(Signal(ToUsers([invocation.user]), late))
