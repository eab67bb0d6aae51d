"""One account on one server machine, connected: what it knows, and how its connection fares."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Literal, TypeAlias

from sidetone.client.client import Client
from sidetone.desktop.application.outbox import Outbox, OutboxStore
from sidetone.desktop.application.pictures import Pictures
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.protocol.accounts import User
from sidetone.protocol.events import ClientEvent
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Refusal
from sidetone.runtime.clock import Clock

_log = logging.getLogger(__name__)

# `lost`: it is being connected again; `ended`: that would not help, and *problem* says why.
Connection: TypeAlias = Literal["connecting", "online", "lost", "ended"]
Told: TypeAlias = Callable[[Topics], None]
Heard: TypeAlias = Callable[["Account", ClientEvent], None]

_TYPING_SECONDS = 1.0
# People that one request asks for; the server answers no more at once.
_NAMES_MAX = 100


class Account:
    """What screens and use cases stand on.

    *store* keeps what is written; *told* hears what each change was about, *heard* each event
    when it is known.
    """

    def __init__(
        self,
        address: str,
        client: Client,
        clock: Clock,
        store: OutboxStore,
        told: Told,
        heard: Heard,
    ) -> None:
        self.address = address
        self.client = client
        self.clock = clock
        self.knowledge = Knowledge(client.user)
        self.connection: Connection = "connecting"
        self.problem = ""
        self.ready = asyncio.Event()
        self.told = told
        self._heard = heard
        self.outbox = Outbox(client, self.knowledge, told, store)
        self.pictures = Pictures(client, told)
        self._asked: set[UserId] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def id(self) -> UserId:
        """Who we are there."""
        return self.knowledge.me.id

    def start(self) -> None:
        """Follow what happens until ``close``."""
        self._spawn(self._follow())
        self._spawn(self._forget_typing())
        self._spawn(self.outbox.run())

    async def close(self) -> None:
        """Let go of the connection; the login stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pictures.close()
        await self.client.__aexit__(None, None, None)

    def want_names(self, *users: UserId) -> None:
        """Ask for the names of those whom we do not know yet; each is asked for once."""
        wanted = [u for u in self.knowledge.unknown(users) if u not in self._asked]
        self._asked.update(wanted)
        for start in range(0, len(wanted), _NAMES_MAX):
            self._spawn(self._learn(wanted[start : start + _NAMES_MAX]))

    def learn(self, *users: User) -> None:
        """Know these people, who came with an answer."""
        self.told(self.knowledge.learn(users))

    # --- inside ---

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self) -> None:
        try:
            async with self.client.events(self._connected) as happenings:
                async for happening in happenings:
                    try:
                        self._happened(happening)
                    except Exception:
                        # One that cannot be taken in must not end all others.
                        _log.exception("an event was passed over")
        except Refusal as refusal:
            self.problem = refusal.detail
            self._set_connection("ended")

    def _happened(self, happening: Ready | ClientEvent) -> None:
        if isinstance(happening, Ready):
            self.told(self.knowledge.begin(happening))
            self.ready.set()
        else:
            self.told(self.knowledge.apply(happening, self.clock.now_ms()))
            self._heard(self, happening)

    def _connected(self, connection: Connection) -> None:
        self._set_connection(connection)
        if connection == "online":
            self.outbox.wake()

    def _set_connection(self, connection: Connection) -> None:
        if connection != self.connection:
            self.connection = connection
            self.told(topics(Topic("accounts")))

    async def _learn(self, users: list[UserId]) -> None:
        try:
            self.learn(*await self.client.api.accounts.users(users))
        except Refusal as refusal:
            _log.info("names are asked for later: %s", refusal.detail)
            self._asked.difference_update(users)

    async def _forget_typing(self) -> None:
        while True:
            await asyncio.sleep(_TYPING_SECONDS)
            stopped = self.knowledge.forget_typing(self.clock.now_ms())
            if stopped:
                self.told(stopped)
