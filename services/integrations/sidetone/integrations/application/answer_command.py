"""Answer what a bot was asked."""

from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.integrations.application.ports import Invocations, Open
from sidetone.integrations.domain.rights import unknown_channel
from sidetone.permissions import Permission
from sidetone.protocol.commands import AnswerInvocation as Wish
from sidetone.protocol.commands import CommandAnswered
from sidetone.protocol.events import Signal, ToUsers
from sidetone.protocol.ids import InvocationId, MessageId, UserId
from sidetone.protocol.questions import WriteMessage
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound
from sidetone.runtime.clock import Clock
from sidetone.runtime.communities import Communities

TEXT_LENGTH_MAX = 4_000


@dataclass(frozen=True, slots=True)
class AnswerCommand:
    """For everybody in the channel, for who asked alone, or later.

    What all shall see is written first: an answer that is repeated finds its own message.
    """

    invocations: Invocations
    communities: Communities
    bus: Bus
    clock: Clock

    async def __call__(self, invocation: InvocationId, bot: UserId, wish: Wish) -> None:
        """Answer once, or say that the answer takes longer. Raises ``Refusal``."""
        _check(wish)
        open_ = await self.invocations.find(invocation)
        if open_ is None or open_.invocation.bot != bot:
            raise NotFound("invocation_unknown", "nobody asked you this, or it is long ago")
        if not open_.deferred and self.clock.now_ms() >= open_.due_at_ms:
            raise _too_late()
        message = await self._write(open_, wish)
        if not await self.invocations.answer(open_, deferred=wish.deferred):
            raise _too_late()
        asked = open_.invocation
        told = CommandAnswered(
            invocation,
            asked.channel,
            bot,
            "deferred" if wish.deferred else "answered",
            wish.text if wish.ephemeral else "",
            message,
        )
        await self.bus.publish(Signal(ToUsers([asked.user]), told))

    async def _write(self, open_: Open, wish: Wish) -> MessageId | None:
        """Write what everybody shall see; nothing else is kept."""
        if wish.deferred or wish.ephemeral:
            return None
        asked = open_.invocation
        community = await self.communities.get(asked.server)
        permissions = community.permissions(asked.bot, asked.channel, self.clock.now_ms())
        if Permission.VIEW_CHANNEL not in permissions:
            raise unknown_channel()
        if Permission.SEND_MESSAGES not in permissions:
            raise Forbidden("permission_missing", "you need SEND_MESSAGES in this channel")
        nonce = f"command {asked.id.hex}"
        wanted = WriteMessage(asked.server, asked.channel, asked.bot, wish.text, nonce)
        return (await self.bus.ask(wanted)).id


def _check(wish: Wish) -> None:
    if wish.deferred == bool(wish.text.strip()):
        raise Invalid("answer_unusable", "say something, or that the answer takes longer")
    if len(wish.text) > TEXT_LENGTH_MAX:
        raise Invalid("text_too_long", f"an answer has at most {TEXT_LENGTH_MAX} characters")


def _too_late() -> Conflict:
    return Conflict("invocation_over", "this was answered already, or its time is over")
