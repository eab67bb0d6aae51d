"""The one call that a client is in: joined, followed, moved and left.

There is at most one in a process, whatever accounts and windows there are, because there is one
pair of ears. What it tells is about the topics ``call`` (state, roster, keys), ``speaking`` of a
user, ``link`` once a second, and ``meter`` only while somebody looks at it.
"""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sidetone.client import events
from sidetone.client.threads import soon
from sidetone.credentials.tickets import Perm
from sidetone.desktop.application.account import Account, Told
from sidetone.desktop.application.call_figures import CallFigures
from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.application.level_meter import LevelMeter
from sidetone.desktop.application.sound_devices import OpenSound, SoundDevices
from sidetone.desktop.application.volumes import Volumes
from sidetone.desktop.domain import voice
from sidetone.desktop.domain.preferences import Voice
from sidetone.desktop.domain.recording import Recording
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.e2ee.trust import Shield
from sidetone.protocol.events import ClientEvent, MoveRequested
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Conflict, Refusal

if TYPE_CHECKING:
    # What knows sound imports kernels, which take a while: not before somebody talks.
    from sidetone.client.call import Call

_log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.1
_LOOKS_PER_FIGURES: Final = 10


class VoiceCall:
    """The call of this process, or none.

    *problem* says why the last one ended by itself, *sound_problems* what is missing of its sound;
    both are lines for the user. *clips_folder* is where clips of the soundboard are.
    """

    def __init__(
        self, devices: SoundDevices, preferences: KeepPreferences, told: Told, clips_folder: Path
    ) -> None:
        self.phase: voice.Phase = "none"
        self.account: Account | None = None
        self.channel: ChannelId | None = None
        self.call: Call | None = None
        self.problem = ""
        self.sound_problems: list[str] = []
        self.prepared = 0.0
        self.muted = self.deafened = False
        self.speaking: set[UserId] = set()
        self.figures: voice.Figures | None = None
        self.recording: Recording | None = None
        self.clips_folder = clips_folder
        self.meter = LevelMeter(told)
        self.volumes = Volumes(preferences, self._set_volume)
        self._preferences = preferences
        self._devices = devices
        self.told = told
        self._running: asyncio.Task[None] | None = None
        self._moving: asyncio.Task[None] | None = None
        self._changing: asyncio.Task[None] | None = None
        self._chosen = preferences.current.voice
        self._turn = asyncio.Lock()

    # --- in and out ---

    def is_in(self, channel: ChannelId) -> bool:
        """Tell whether this is the channel of the call, or of the one that is being joined."""
        return self.phase != "none" and self.channel == channel

    async def join(self, account: Account, channel: ChannelId) -> None:
        """Be in the call of *channel*, and in no other. Raises a ``Refusal`` that says why not."""
        async with self._turn:
            if self.is_in(channel):
                return
            await self._stop()
            self.account, self.channel = account, channel
            self.problem, self.sound_problems = "", []
            self._set_phase("preparing")
            entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._running = asyncio.create_task(self._run(account, channel, entered))
        with suppress(asyncio.CancelledError):
            await asyncio.shield(entered)

    async def leave(self) -> None:
        """Be in no call."""
        async with self._turn:
            self.problem = ""
            await self._stop()

    async def close(self) -> None:
        """Leave, and let go of everything."""
        await self.leave()

    def happened(self, account: Account, event: ClientEvent) -> None:
        """Go where a moderator puts us, if we are where they take us from."""
        if (
            isinstance(event, MoveRequested)
            and account is self.account
            and self.is_in(event.source)
        ):
            self._moving = asyncio.create_task(self._move(account, event.target))

    def told_of_call(self) -> None:
        """Let all who show the call draw it anew."""
        self.told(self._of_call())

    # --- our own sound ---

    @property
    def silenced(self) -> bool:
        """Whether the server does not let us speak here."""
        return self.call is not None and Perm.SPEAK not in self.call.rights

    @property
    def deafened_by_server(self) -> bool:
        """Whether the server lets us hear nothing here."""
        return self.call is not None and Perm.DEAFENED in self.call.rights

    @property
    def level_db(self) -> float:
        """The level of the microphone, also while muted."""
        return self.call.level_db if self.call is not None else -120.0

    def set_muted(self, *, muted: bool) -> None:
        """Switch the microphone off or on, in this call and those after it."""
        self.muted = muted
        if not muted and self.deafened:
            self.deafened = False
        self._apply_silence()

    def set_deafened(self, *, deafened: bool) -> None:
        """Hear nothing, and say nothing meanwhile; or again both as before."""
        self.deafened = deafened
        self._apply_silence()

    def push_to_talk(self, *, pushed: bool) -> None:
        """Note that the key to talk is held, or let go."""
        if self.call is not None:
            self.call.push_to_talk(pushed)

    def follow_preferences(self) -> None:
        """Speak and hear as it is set now, in the middle of the call."""
        before, chosen = self._chosen, self._preferences.current.voice
        if self.call is None or chosen == before:
            return
        self._chosen = chosen
        self.call.set_voice(self._devices.settings(chosen))
        self.call.set_output_volume(chosen.output_percent)
        if (chosen.microphone, chosen.speaker) != (before.microphone, before.speaker):
            self._changing = asyncio.create_task(self._change_devices(self.call, chosen))

    # --- the others ---

    def shield(self, user: UserId) -> voice.Shield | None:
        """Return what is known of *user*'s key; None for who cannot hear (yet), and for us."""
        peers = [peer for peer in self.call.peers if peer.user == user] if self.call else []
        if self.call is None or not peers:
            return None
        if any(peer.shield is Shield.CHANGED for peer in peers):
            return "changed"
        if all(peer.shield is Shield.VERIFIED for peer in peers):
            return "verified"
        return "new" if self.call.is_new(user) else "known"

    @property
    def changed_keys(self) -> list[UserId]:
        """Whose key changed: until it is confirmed, nothing is sent."""
        return [user for user in self.roster if self.shield(user) == "changed"]

    @property
    def roster(self) -> list[UserId]:
        """Who of the others can hear: by the keys, not by what a server says."""
        return list(dict.fromkeys(peer.user for peer in self.call.peers)) if self.call else []

    def confirm(self, user: UserId) -> None:
        """Accept the changed key of *user*."""
        self.joined.confirm(user)
        self.told_of_call()

    def verify(self, user: UserId) -> None:
        """Trust the key of *user* for good: the numbers were compared and are equal."""
        self.joined.verify(user)
        self.told_of_call()

    # --- recording ---

    def ask_to_record(self) -> None:
        """Ask all in the call whether they agree."""
        self.joined.ask_to_record()

    def consent(self, *, agrees: bool) -> None:
        """Answer who asks, or take the answer back."""
        self.joined.consent(agrees)

    async def record(self, folder: Path) -> None:
        """Record into *folder* whenever all agree. Raises ``Conflict`` until they have."""
        await self.joined.start_recording(folder)

    async def stop_recording(self) -> None:
        """Complete what was recorded, and ask no more."""
        try:
            await self.joined.stop_recording()
        finally:
            if self.recording is not None:
                self.recording.stopped_asking()
            self.told_of_call()

    @property
    def joined(self) -> "Call":
        """The call we are in. Raises ``Conflict`` if there is none."""
        if self.call is None:
            raise Conflict("not_in_call", "join a voice channel first")
        return self.call

    # --- inside ---

    async def _change_devices(self, call: "Call", chosen: Voice) -> None:
        """Go over to other devices; the engine closes those before."""
        sound = await asyncio.to_thread(self._devices.open, chosen)
        if call is not self.call:
            await asyncio.to_thread(sound.close)
            return
        self.sound_problems = sound.problems
        call.use_devices(sound.microphone, sound.speaker)
        self.told_of_call()

    async def _move(self, account: Account, target: ChannelId) -> None:
        with suppress(Refusal):
            await self.join(account, target)

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(
        self, account: Account, channel: ChannelId, entered: asyncio.Future[None]
    ) -> None:
        sound: OpenSound | None = None
        try:
            await asyncio.to_thread(self._warm_up, asyncio.get_running_loop())
            self._set_phase("joining")
            chosen = self._chosen = self._preferences.current.voice
            sound = await asyncio.to_thread(self._devices.open, chosen)
            self.sound_problems = sound.problems
            async with account.client.join_voice(
                channel,
                microphone=sound.microphone,
                speaker=sound.speaker,
                voice=self._devices.settings(chosen),
            ) as call:
                self._begin(account, call)
                if not entered.done():
                    entered.set_result(None)
                await self._follow(call)
        except Refusal as refusal:
            self.problem = refusal.detail
            if not entered.done():
                entered.set_exception(refusal)
        except Exception:
            _log.exception("a call ended by a fault of this program")
            self.problem = "the call ended by a fault; see the log"
        finally:
            entered.cancel()
            self._end()
            if sound is not None:
                await asyncio.to_thread(sound.close)

    def _warm_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make sound ready, which is quick after the first time; runs on a thread."""
        from sidetone.audio.warm import warm_up  # noqa: PLC0415 - the first import compiles

        def progress(_what: str, share: float) -> None:
            soon(loop, self._prepared, share)

        warm_up(progress)

    def _prepared(self, share: float) -> None:
        self.prepared = share
        self._tell(Topic("call"))

    def _begin(self, account: Account, call: "Call") -> None:
        self.call = call
        self.recording = Recording(account.id)
        call.set_output_volume(self._preferences.current.voice.output_percent)
        for user, percent in self._preferences.current.voice.volumes.items():
            call.set_volume(user, percent)
        self._apply_silence()
        self._set_phase("live")
        account.want_names(*self.roster)

    def _end(self) -> None:
        told = [Topic("speaking", user) for user in self.speaking]
        self.call = self.recording = self.figures = None
        self.speaking.clear()
        self._set_phase("none")
        self._tell(*told, Topic("link"))
        self.channel = None

    async def _follow(self, call: "Call") -> None:
        looking = asyncio.create_task(self._look(call))
        try:
            async for event in call.events():
                self._tell(*self._told_of(event))
        finally:
            looking.cancel()

    def _told_of(self, event: events.Event) -> Topics:
        """Take in what happened in the call; return what it is about."""
        if isinstance(event, events.SpeakerStarted):
            self.speaking.add(event.user)
            return topics(Topic("speaking", event.user))
        if isinstance(event, events.SpeakerStopped):
            self.speaking.discard(event.user)
            return topics(Topic("speaking", event.user))
        if self.recording is None or not self.recording.apply(event):
            self._note(event)
        return self._of_call()

    def _note(self, event: events.Event) -> None:  # noqa: C901 (a case for each kind)
        """Take in who is there, and how the call and its devices fare."""
        match event:
            case events.PeerJoined(peer) if self.account is not None:
                self.account.want_names(peer.user)
            case events.PeerLeft(peer) if self.recording is not None:
                if peer.user not in self.roster:
                    self.recording.left(peer.user)
            case events.Reconnecting(reason):
                self.phase, self.problem = "reconnecting", reason
            case events.Reconnected():
                self.phase, self.problem = "live", ""
            case events.AudioFailed(detail):
                self.sound_problems = [detail]
            case events.ShareEnded(reason) if reason:
                self.problem = reason
            case events.CallEnded(code, detail) if code != "left":
                self.problem = detail
            case _:
                pass

    async def _look(self, call: "Call") -> None:
        """See whether we are heard ourselves, and now and then how the call fares."""
        me = self.account.id if self.account is not None else None
        figures = CallFigures(call)
        look = 0
        while me is not None:
            await asyncio.sleep(_LOOK_SECONDS)
            heard = call.is_speaking
            if heard != (me in self.speaking):
                (self.speaking.add if heard else self.speaking.discard)(me)
                self._tell(Topic("speaking", me))
            look += 1
            if look % _LOOKS_PER_FIGURES == 0:
                self.figures = figures.next()
                self._tell(Topic("link"))

    def _apply_silence(self) -> None:
        if self.call is not None:
            self.call.set_muted(self.muted or self.deafened)
            self.call.set_deafened(self.deafened)
        self.told_of_call()

    def _set_volume(self, user: UserId, percent: int) -> None:
        if self.call is not None:
            self.call.set_volume(user, percent)
        self._tell(Topic("user", user))

    def _set_phase(self, phase: voice.Phase) -> None:
        self.phase = phase
        self.told_of_call()

    def _of_call(self) -> Topics:
        return topics(Topic("call"), Topic("voice", self.channel))

    def _tell(self, *changed: Topic) -> None:
        self.told(topics(*changed))
