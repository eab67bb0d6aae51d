"""Facts and passing events, on their way to the sessions."""

from collections import OrderedDict

from sidetone.gateway.application.change_server import ChangeServer
from sidetone.gateway.application.hub import Hub
from sidetone.protocol.events import (
    AccountClosed,
    Fact,
    LoginEnded,
    RightsChanged,
    ServerChanged,
    Signal,
)
from sidetone.protocol.ids import FactId
from sidetone.telemetry.tracing import span

# A fact that is told twice is left out while its id is among so many.
_REMEMBERED_MAX = 10_000


class Follow:
    """Handles what is announced, one after the other."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._change_server = ChangeServer(hub)
        self._handled: OrderedDict[FactId, None] = OrderedDict()

    async def hear_fact(self, fact: Fact) -> None:
        """Deliver *fact* once. Raises ``Unavailable`` when it has to be told again."""
        if fact.id in self._handled:
            return
        await self._hub.room()
        event = fact.event
        match event:
            case ServerChanged():
                await self._change_server(event)
            case LoginEnded(user, login):
                self._hub.end(user, login, "this login has ended; log in again")
            case AccountClosed(user):
                self._hub.tell(fact.audience, event)
                self._hub.end(user, None, "this account is closed")
            case RightsChanged():
                pass
            case _:
                with span("deliver"):
                    self._hub.tell(fact.audience, event)
        self._handled[fact.id] = None
        if len(self._handled) > _REMEMBERED_MAX:
            self._handled.popitem(last=False)

    async def hear_signal(self, signal: Signal) -> None:
        """Deliver *signal*."""
        await self._hub.room()
        self._hub.tell(signal.audience, signal.event)
