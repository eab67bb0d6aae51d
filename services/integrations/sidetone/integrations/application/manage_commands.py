"""Say what a bot can be asked, and list it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.integrations.application.ports import Commands
from sidetone.integrations.domain.command import checked_commands
from sidetone.protocol.commands import Command, NewCommand
from sidetone.protocol.ids import CommandId, ServerId, UserId
from sidetone.protocol.questions import WhoAre
from sidetone.protocol.refusals import Forbidden, NotFound
from sidetone.runtime.clock import Clock
from sidetone.runtime.communities import Communities


@dataclass(frozen=True, slots=True)
class ManageCommands:
    """A bot registers all its commands at once; members see those of the bots among them."""

    commands: Commands
    communities: Communities
    bus: Bus
    clock: Clock

    async def register(self, bot: UserId, wishes: Sequence[NewCommand]) -> Sequence[Command]:
        """Return the commands of *bot*; one of a name of before keeps its id. Raises `Refusal`."""
        (who,) = await self.bus.ask(WhoAre([bot])) or [None]
        if who is None or not who.bot:
            raise Forbidden("not_a_bot", "only bots have commands; make one and use its token")
        before = {command.name: command.id for command in await self.commands.of([bot])}
        after = [
            Command(
                before.get(wish.name) or CommandId(self.clock.new_id()),
                bot,
                wish.name,
                wish.description,
                wish.options,
            )
            for wish in checked_commands(wishes)
        ]
        await self.commands.replace(bot, after)
        return after

    async def of(self, server: ServerId, user: UserId) -> Sequence[Command]:
        """Return what the bots of *server* can be asked. Raises ``NotFound``."""
        community = await self.communities.get(server)
        if user not in community.members:
            raise NotFound("server_unknown", "there is no such server, or it is not for you")
        return await self.commands.of([UserId(member) for member in community.members])
