"""Everything of the client that lives longer than a window: accounts, the call, what was set.

Windows listen to what changes. There is one of these for each process, and none that is global.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from sidetone.client.client import Client
from sidetone.desktop.application.account import Account, Heard
from sidetone.desktop.application.keep_preferences import KeepPreferences, PreferencesStore
from sidetone.desktop.application.logins import Logins
from sidetone.desktop.application.look_for_updates import LookForUpdates
from sidetone.desktop.application.machine import Machine
from sidetone.desktop.application.returning import Returning
from sidetone.desktop.application.ring_bell import RingBell
from sidetone.desktop.application.sound_test import SoundTest
from sidetone.desktop.application.talk_by_keys import TalkByKeys
from sidetone.desktop.application.voice_call import VoiceCall
from sidetone.desktop.application.watch_screen import WatchScreens
from sidetone.desktop.domain.preferences import Preferences
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.events import ClientEvent
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Refusal
from sidetone.runtime.clock import Clock

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """A window, or whatever else wants to know."""

    def told(self, changed: Topics) -> None:
        """Note what a change was about; called in the loop, and quick."""
        ...


class Core:
    """The accounts that are signed in, and who listens to what happens to them.

    *logins* are those that are remembered, and their keyring keeps the keys of vaults; *folder*
    holds the vaults. *store* is where what is *set_now* was read from, and keeps what is set
    later. *machine* is what can be heard, played and pressed here.
    """

    def __init__(
        self,
        folder: Path,
        logins: Logins,
        clock: Clock,
        store: PreferencesStore,
        set_now: Preferences,
        machine: Machine,
    ) -> None:
        self.clock = clock
        self.preferences = KeepPreferences(store, set_now, self.told)
        self.voice = VoiceCall(machine.devices, self.preferences, self.told, folder / "clips")
        self.screens = WatchScreens(self.voice)
        self.keys = TalkByKeys(machine.keys, self.voice, self.preferences)
        self.bell = RingBell(machine.ringer, self.preferences)
        self.devices = machine.devices
        self.diagnostics = machine.diagnostics
        # None where this is no release, which knows of no later one.
        self.updates: LookForUpdates | None = None
        self.sound_test = SoundTest(machine.loop, self.preferences, self.told)
        self.logins = logins
        self.accounts: dict[UserId, Account] = {}
        self.returning: dict[UserId, Returning] = {}
        self._folder = folder
        self._outbox = machine.outbox
        self._listeners: WeakSet[Listener] = WeakSet()
        self._hearers: list[Heard] = [self.voice.happened]
        self._keeping: set[asyncio.Task[None]] = set()

    def listen(self, listener: Listener) -> None:
        """Tell *listener* of each change, as long as somebody holds it."""
        self._listeners.add(listener)

    def told(self, changed: Topics) -> None:
        """Tell all who listen what a change was about."""
        for listener in list(self._listeners):
            listener.told(changed)
        if Topic("preferences") in changed:
            self.voice.follow_preferences()
        if not changed.isdisjoint({Topic("preferences"), Topic("call")}):
            self.keys.follow()
        if Topic("calls") in changed:
            self.bell.follow(list(self.accounts.values()))

    def hear(self, hearer: Heard) -> None:
        """Let *hearer* know of each event of every account from now on."""
        self._hearers.append(hearer)

    def client(self, address: str) -> Client:
        """Return a client of the server machine at *address* whose login is remembered."""
        keep = self._keeper(address)
        return Client(address, data_dir=self._folder, secrets=self.logins.keyring, renewed=keep)

    def enter(self, address: str, client: Client) -> Account:
        """Take in an account that was just signed in, and follow what happens to it."""
        store = self._outbox(client.user.id)
        account = Account(address, client, self.clock, store, self.told, self._heard)
        self.accounts[account.id] = account
        self.returning.pop(account.id, None)
        account.start()
        self.told(topics(Topic("accounts"), Topic("servers")))
        return account

    async def leave(self, account: Account) -> None:
        """Let go of an account that was signed out."""
        if self.voice.account is account:
            await self.voice.leave()
        self.accounts.pop(account.id, None)
        await account.close()
        self.told(topics(Topic("accounts"), Topic("servers")))

    async def close(self) -> None:
        """Let go of everything, and return when what must be kept is kept."""
        await asyncio.gather(self.voice.close(), self.bell.close(), self.keys.close())
        await self.sound_test.stop()
        for account in list(self.accounts.values()):
            await account.close()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        await self.preferences.close()

    def _heard(self, account: Account, event: ClientEvent) -> None:
        for hearer in self._hearers:
            hearer(account, event)

    def _keeper(self, address: str) -> Callable[[LoggedIn], None]:
        def keep(login: LoggedIn) -> None:
            task = asyncio.create_task(self._keep(address, login))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

        return keep

    async def _keep(self, address: str, login: LoggedIn) -> None:
        try:
            await self.logins.keep(address, login)
        except Refusal as refusal:
            _log.warning("this login is not remembered: %s", refusal.detail)
