"""Keys that talk, mute and deafen while one is in a call: of the whole desktop, else of the page.

Nobody listens to keys while there is no call. Where the desktop lets nobody listen, the keys of
our own windows do the same as long as one of them has the keyboard.
"""

import asyncio

from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.application.listen_to_keys import KeySource, ListenToKeys
from sidetone.desktop.application.voice_call import VoiceCall
from sidetone.desktop.domain.hotkeys import Bindings, Captured, Effect, Hotkeys, Talk, bindings_in
from sidetone.desktop.domain.page_keys import key_name
from sidetone.protocol.ids import ServerId


class TalkByKeys:
    """What keys do in the call of *voice*; *everywhere* hears those of the whole desktop."""

    def __init__(self, source: KeySource, voice: VoiceCall, preferences: KeepPreferences) -> None:
        self.everywhere = ListenToKeys(source, self._do)
        self._voice = voice
        self._preferences = preferences
        self._page = Hotkeys({})
        self._bindings: Bindings = {}
        self._binding: asyncio.Task[None] | None = None

    @property
    def wants_page(self) -> bool:
        """Whether the keys of our own windows are needed."""
        return bool(self._bindings and self.everywhere.problem)

    def follow(self) -> None:
        """Listen to what is bound where the call is, or to nothing."""
        bindings = self._wanted()
        if bindings == self._bindings:
            return
        self._bindings = bindings
        self._act(self._page.bind(bindings))
        if self._binding is None or self._binding.done():
            self._binding = asyncio.create_task(self._bind())

    def page_key(self, label: str, *, pressed: bool) -> None:
        """Take a press or release in one of our windows, by what the page calls the key."""
        if self.wants_page:
            change = self._page.pressed if pressed else self._page.released
            self._act(change(key_name(label)))

    def forget_page(self) -> None:
        """Know of no key that is held: the window has lost the keyboard."""
        self._act(self._page.forget())

    async def close(self) -> None:
        """Listen no more."""
        if self._binding is not None:
            await self._binding
        await self.everywhere.close()

    def _wanted(self) -> Bindings:
        account, channel = self._voice.account, self._voice.channel
        if self._voice.phase == "none" or account is None or channel is None:
            return {}
        home = account.knowledge.home_of(channel)
        server = ServerId(home.server.id) if home is not None else None
        bindings = bindings_in(self._preferences.current.keys, server)
        if self._preferences.current.voice.activation != "push_to_talk":
            bindings.pop("push_to_talk", None)
        return bindings

    async def _bind(self) -> None:
        bound: Bindings | None = None
        while bound != self._bindings:
            bound = self._bindings
            await self.everywhere.bind(bound)
        self._voice.told_of_call()

    def _act(self, effects: list[Effect]) -> None:
        for effect in effects:
            if not isinstance(effect, Captured):
                self._do(effect)

    def _do(self, effect: Effect) -> None:
        voice = self._voice
        if isinstance(effect, Talk):
            voice.push_to_talk(pushed=effect.pushed)
        elif not isinstance(effect, Captured) and effect.action == "mute":
            voice.set_muted(muted=not voice.muted)
        elif not isinstance(effect, Captured):
            voice.set_deafened(deafened=not voice.deafened)
