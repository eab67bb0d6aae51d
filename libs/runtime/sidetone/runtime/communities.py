"""The servers that a process decides about, each loaded once and then changed by what is heard.

A ``Community`` that was got is up to date until the next ``await``: ask again afterwards, because
it may have been replaced. It knows no store and no bus: who makes it says how a server is loaded.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from sidetone.community import Community
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.protocol.servers import ServerState

Load: TypeAlias = Callable[[ServerId], Awaitable[ServerState]]

KEPT_MAX: Final = 10_000
# Changes that may arrive while a server is loaded; beyond it, it is loaded once more.
_WAITING_MAX: Final = 1_000
_TRIES_MAX: Final = 5
# Of so many at most it is asked whether one is in use before the bound is overstepped.
_ASKED_MAX: Final = 16


def _never(_: ServerId) -> bool:
    return False


class Communities:
    """Servers in memory, at most *kept_max*; those *in_use* stay also beyond that."""

    def __init__(
        self,
        load: Load,
        *,
        kept_max: int = KEPT_MAX,
        in_use: Callable[[ServerId], bool] = _never,
    ) -> None:
        self._load = load
        self._kept_max = kept_max
        self._in_use = in_use
        self._held: OrderedDict[ServerId, Community] = OrderedDict()
        self._loading: dict[ServerId, _Loading] = {}

    async def get(self, server: ServerId) -> Community:
        """Return *server* as it stands, loading it if need be; who asks meanwhile shares that.

        Raises what loading raises: ``NotFound``, ``Unavailable``.
        """
        return self.held(server) or await self._loaded(server)

    def held(self, server: ServerId) -> Community | None:
        """Return *server* if it is in memory."""
        community = self._held.get(server)
        if community is not None:
            self._held.move_to_end(server)
        return community

    async def hear(self, change: ServerChanged) -> None:
        """Apply *change* to what is in memory or on its way there; a repeat changes nothing.

        When a change before it was missed, the server is loaded anew. Raises ``Unavailable`` when
        that cannot be, and leaves the old state; hearing the same change again tries again.
        """
        loading = self._loading.get(change.server)
        if loading is not None:
            loading.hear(change)
            return
        community = self._held.get(change.server)
        if community is None or change.generation <= community.generation:
            return
        if change.deleted:
            self.forget(change.server)
        elif community.follows(change):
            community.apply(change)
        else:
            await self._load_anew(change)

    def forget(self, server: ServerId) -> None:
        """Drop *server*; the next who asks for it loads it."""
        self._held.pop(server, None)

    async def _load_anew(self, change: ServerChanged) -> None:
        try:
            await self._loaded(change.server, change)
        except NotFound:
            self.forget(change.server)

    async def _loaded(self, server: ServerId, change: ServerChanged | None = None) -> Community:
        loading = self._loading.get(server)
        if loading is None:
            loading = self._loading[server] = _Loading()
            loading.task = asyncio.create_task(self._fetch(server, loading))
            loading.task.add_done_callback(_look_at)
        if change is not None:
            loading.hear(change)
        # Who gives up waiting does not take the answer from the others.
        return await asyncio.shield(loading.task)

    async def _fetch(self, server: ServerId, loading: "_Loading") -> Community:
        try:
            for _ in range(_TRIES_MAX):
                community = Community(await self._load(server))
                if loading.catch_up(community):
                    self._keep(server, community)
                    return community
            raise Unavailable(
                "server_behind", "the server changes too fast; try again in a moment"
            )
        finally:
            del self._loading[server]

    def _keep(self, server: ServerId, community: Community) -> None:
        self._held[server] = community
        self._held.move_to_end(server)
        for _ in range(_ASKED_MAX):
            if len(self._held) <= self._kept_max:
                return
            oldest = next(iter(self._held))
            if oldest == server or self._in_use(oldest):
                self._held.move_to_end(oldest)
            else:
                del self._held[oldest]


class _Loading:
    """A server on its way, and the changes that overtook it."""

    task: asyncio.Task[Community]

    def __init__(self) -> None:
        self._changes: list[ServerChanged] = []

    def hear(self, change: ServerChanged) -> None:
        """Keep *change* for later; without the oldest there is a gap, and so another load."""
        del self._changes[: len(self._changes) - _WAITING_MAX + 1]
        self._changes.append(change)

    def catch_up(self, community: Community) -> bool:
        """Apply what was heard; False: something is missing in between.

        Raises ``NotFound`` if the server was deleted.
        """
        for change in self._changes:
            if change.generation <= community.generation:
                continue
            if change.deleted:
                raise NotFound("server_unknown", "there is no such server, or it is not for you")
            if not community.follows(change):
                return False
            community.apply(change)
        return True


def _look_at(task: asyncio.Task[Community]) -> None:
    """Know of the exception, also where nobody waits for it any more."""
    if not task.cancelled():
        task.exception()
