"""What goes on inside a call: sound to the group and back, and the reactions to what it tells.

Everything here runs on the event loop but `_failed`, which the audio threads call. Sound passes by
on threads of its own; here its counters are looked at, twenty times a second.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from sidetone.audio import sound_card
from sidetone.audio.devices import Microphone, NullMicrophone, NullSpeaker, Speaker
from sidetone.audio.engine import Engine
from sidetone.audio.settings import VoiceSettings
from sidetone.audio.sound_card import SoundCard
from sidetone.client import events
from sidetone.client.beside import Beside
from sidetone.client.clip_microphone import ClipMicrophone
from sidetone.client.connector import Connector
from sidetone.client.event_stream import EventHub
from sidetone.client.keystore import KeyStore
from sidetone.client.lifeline import Lifeline
from sidetone.client.link_trial import kernels_work
from sidetone.client.listening import Hear, Listening
from sidetone.client.media_thread import MediaThread
from sidetone.client.peers import Peers
from sidetone.client.screen_board import ScreenBoard
from sidetone.client.screen_streams import Arrival
from sidetone.client.session import Lost, Session
from sidetone.client.stats import ReceptionReports, Tally
from sidetone.client.threads import soon
from sidetone.client.watch import Watch
from sidetone.credentials.tickets import Perm
from sidetone.e2ee import actions
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.e2ee.data import SCREEN, VIEWING, packet_type
from sidetone.e2ee.media import Opened
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind
from sidetone.native.clock import now_ns
from sidetone.protocol import voice_control as control
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Refusal, Unavailable

_log = logging.getLogger(__name__)

P = ParamSpec("P")

_LAST_WORD_SECONDS = 0.1
_TICK_SECONDS = 0.05
_REPORT_TICKS = 40
_RENEWAL_PAUSE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Sound:
    """Where a call's sound comes from and goes to; without a microphone clips can be played."""

    microphone: Microphone | None = None
    speaker: Speaker | None = None
    hear: Hear | None = None
    voice: VoiceSettings | None = None

    def replace_microphone(self) -> Microphone:
        """Open the default card in place of one that is gone; there is silence for all else."""
        card = isinstance(self.microphone, SoundCard)
        return sound_card.open_microphone() if card else NullMicrophone()

    def replace_speaker(self) -> Speaker:
        """Open the default card in place of one that is gone; there is silence for all else."""
        card = isinstance(self.speaker, SoundCard)
        return sound_card.open_speaker() if card else NullSpeaker()


class Conversation:
    """The parts of one call and how they move each other; `call.Call` is its face."""

    def __init__(self, connector: Connector, keys: KeyStore, sound: Sound) -> None:
        self.tally = Tally()
        self.rights = Perm(0)
        self.peers = Peers(keys.device)
        self.events = EventHub()
        self.lifeline = Lifeline(connector, self)
        self.clips = ClipMicrophone() if sound.microphone is None else None
        self.volumes: dict[UserId, int] = {}
        self.awaited: dict[UserId, asyncio.Future[None]] = {}
        self._keys = keys
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        self._reports = ReceptionReports()
        self._tasks: set[asyncio.Task[None]] = set()
        self._silence: asyncio.Task[None] | None = None
        self.keys = AudioKeys(lambda _: now_ns())
        self.engine = Engine(
            self.keys,
            sound.microphone or self.clips or ClipMicrophone(),
            sound.speaker or NullSpeaker(),
            on_failure=self._failed,
            replace_microphone=sound.replace_microphone,
            replace_speaker=sound.replace_speaker,
        )
        self.engine.set_voice(sound.voice or VoiceSettings())
        self.network = MediaThread(self.engine, fast=kernels_work())
        self._watch = Watch(self.engine, self.tally)
        self.beside = Beside(
            keys.identity, self.engine, self.peers, self.volumes, self._send_data, self._publish
        )
        self.screens = ScreenBoard(
            self.peers, lambda: self.lifeline.session, self._send_data, self._publish
        )
        self._listening = (
            Listening(self.engine, sound.hear, self._user_of) if sound.hear is not None else None
        )

    async def start(self) -> None:
        """Let sound in and out, and join; what is said before that is not sent."""
        self.network.start()
        self.engine.start()
        if self._listening is not None:
            self._listening.start()
        await self.lifeline.start()
        self.allow_sending()
        self._spawn(self._tick())

    async def stop(self) -> None:
        """Say goodbye and free the devices."""
        for task in self._tasks:
            task.cancel()
        self.screens.end()
        await self.lifeline.leave()
        if self._silence is not None:
            await self._silence

    def set_muted(self, *, muted: bool) -> None:
        """Switch the microphone off or on, and tell the others.

        The room drops what the muted say, so it is told a moment later: the talkspurt's last
        packet lets the listeners fade out, where a lost one would have them make up sound.
        """
        self.engine.set_muted(muted)
        if muted:
            self._loop.call_later(_LAST_WORD_SECONDS, self.tell_state)
        else:
            self.tell_state()

    def tell_state(self) -> None:
        """Tell the others what we do with our own sound."""
        session = self.lifeline.session
        if session is not None and session.link is not None:
            session.link.send(control.State(self.engine.muted, self.engine.deafened))

    # --- sound ---

    def soon(self, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have *call* called on the event loop; for the audio threads."""
        soon(self._loop, call, *args, **kwargs)

    def allow_sending(self) -> None:
        """Let what is said be sent where there is a connection and the right to speak."""
        if self.lifeline.state != "live":
            self._watch.forbid("no_connection")
        elif Perm.SPEAK not in self.rights:
            self._watch.forbid("no_right_to_speak")
        else:
            self._watch.allow()

    def _user_of(self, sender: int) -> UserId | None:
        peer = self.peers.of_sender(sender)
        return peer.user if peer is not None else None

    def _failed(self, detail: str) -> None:
        self.soon(self._publish, [events.AudioFailed(detail)])

    def on_video(self, arrival: Arrival) -> None:
        """Take how a video frame came."""
        self.screens.on_video(arrival)

    def on_opened(self, opened: Opened) -> None:
        """Take a packet of the data kind, or a video frame, that was decrypted."""
        self.tally.opened += 1
        try:
            if opened.kind is MediaKind.VIDEO:
                self.screens.on_frame(opened)
            elif packet_type(opened.payload) in {SCREEN, VIEWING}:
                self.screens.on_word(opened)
            elif opened.kind is MediaKind.DATA:
                self.beside.received(opened)
        except Rejected as rejected:
            self.tally.refused[rejected.code] += 1

    def _send_data(self, payload: bytes) -> None:
        session = self.lifeline.session
        if session is not None:
            session.send_data(payload)

    def look(self) -> None:
        """Take over what the audio threads have counted since the last look."""
        self._watch.look()
        now = self._loop.time()
        for sender, ended in self._watch.spoke():
            self._publish(self.peers.spoke(sender, now, end=ended))
            user = self._user_of(sender)
            awaited = self.awaited.pop(user, None) if user is not None else None
            if awaited is not None and not awaited.done():
                awaited.set_result(None)
        first_ns = self.engine.first_opened_ns
        if first_ns:
            self.lifeline.note_audio((now_ns() - first_ns) / 1e6)
        self._publish(self.peers.hush_silent(now))

    # --- the connection ---

    def on_session(self) -> None:
        """Forget the places of the room before."""
        self.allow_sending()
        self._free(list(self.peers.all()))
        self.engine.await_first()
        self.engine.report_loss(None)
        self.beside.enter_room()
        self.screens.enter_room()
        self._publish(self.peers.enter_room())

    def on_reconnecting(self, lost: Lost) -> None:
        """Tell that nothing is heard for a while."""
        session = self.lifeline.session
        if session is not None and session.link is not None:
            self.tally.datagrams_dropped += session.link.datagrams_dropped
        _log.info("a call lost its connection: %s", lost.code)
        self.allow_sending()
        self._publish([events.Reconnecting(lost.detail)])

    def on_reconnected(self) -> None:
        """Tell that the call goes on."""
        self.tally.reconnects += 1
        self.allow_sending()
        self.screens.entered()
        self._publish([events.Reconnected()])

    def on_ended(self, lost: Lost) -> None:
        """Free the devices, and tell that the call is over, to those who wait as well."""
        self.look()
        self.screens.end()
        self._silence = asyncio.create_task(self._fall_silent())
        self._publish([events.CallEnded(lost.code, lost.detail)])
        self.events.end()
        for awaited in self.awaited.values():
            awaited.cancel()

    async def _fall_silent(self) -> None:
        await self.screens.closed()
        try:
            await self.beside.recorder.stop()
        except Refusal as refusal:
            _log.warning("%s", refusal)
        # The network first: it waits for a pipe that the engine closes.
        await self.network.stop()
        await asyncio.to_thread(self._stop_sound)

    def _stop_sound(self) -> None:
        self.engine.stop()
        if self._listening is not None:
            self._listening.stop()

    # --- the room and the group ---

    def on_room(self, message: control.ServerMessage) -> None:
        """Take over what the room tells of its members and of our rights."""
        match message:
            case control.Welcome(permissions=permissions, peers=peers):
                self._welcomed(permissions, peers)
            case control.PeerJoined(peer):
                self._set_state(peer)
            case control.PeerState():
                self._set_state(message)
            case control.PeerLeft(sender):
                self.peers.forget_state(sender)
                self.engine.forget(sender)
            case control.Reception(loss_percent):
                self.engine.report_loss(loss_percent)
            case control.KeyframeWanted():
                self.screens.keyframe_wanted()
            case control.Rights(permissions):
                self._set_rights(permissions)
                self._publish([events.RightsChanged(permissions)])
            case _:
                pass

    def on_group(self, action: actions.Action) -> None:
        """Take over what changed in the group."""
        match action:
            case actions.EpochStarted(epoch, code):
                self._publish([events.EpochStarted(epoch, code)])
                if self.lifeline.session is not None:
                    self.beside.epoch_began(self.lifeline.session.member)
                    self.screens.epoch_began()
            case actions.RosterChanged(participants):
                changes = self.peers.set_roster(participants)
                self._free([c.peer for c in changes if isinstance(c, events.PeerLeft)])
                self.beside.set_all_gains()
                self._publish(changes)
            case actions.IdentityChanged(sender):
                peer = self.peers.of_sender(sender)
                if peer is not None:
                    self._publish([events.IdentityChanged(peer.user)])
            case actions.PinsChanged():
                self._keys.save_soon()
            case actions.GrantWanted() if self.lifeline.session is not None:
                self._spawn(self._renew(self.lifeline.session))
            case _:
                pass

    def _set_rights(self, permissions: int) -> None:
        self.rights = Perm(permissions)
        self.allow_sending()
        self.screens.set_rights(self.rights)

    def _welcomed(self, permissions: int, peers: Sequence[control.Peer]) -> None:
        self._set_rights(permissions)
        for peer in peers:
            self._set_state(peer)
        if self.engine.muted or self.engine.deafened:
            self.tell_state()

    def _set_state(self, state: control.Peer | control.PeerState) -> None:
        self._publish(
            self.peers.set_state(state.sender, muted=state.muted, deafened=state.deafened)
        )

    def _free(self, gone: list[events.Peer]) -> None:
        for peer in gone:
            self.engine.forget(peer.sender)
            self.beside.left(peer.sender)
            self.screens.left(peer.user)

    def _publish(self, changes: Sequence[events.Event]) -> None:
        for change in changes:
            self.events.publish(change)

    # --- what takes time ---

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _renew(self, session: Session) -> None:
        """Fetch a new grant, patiently: the present one lasts for many tries."""
        while not session.lost.done():
            try:
                grant, keys = await self._connector.renewed_grant()
            except Unavailable as refusal:
                _log.info("the grant of a call could not be renewed yet: %s", refusal)
            except Refusal as refusal:
                _log.warning("the grant of a call is not renewed: %s", refusal)
                return
            else:
                session.member.grant_keys = keys
                session.act(session.member.renew(grant.wire, session.now_ms()))
                return
            await asyncio.sleep(_RENEWAL_PAUSE_SECONDS)

    async def _tick(self) -> None:
        """Look at what the audio threads have done, and report to the node now and then."""
        tick = 0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            tick += 1
            self.look()
            self.beside.tick()
            self.screens.tick()
            session = self.lifeline.session
            if tick % _REPORT_TICKS == 0 and session is not None and session.link is not None:
                report = self._reports.next(self.engine.stats().speakers)
                if report is not None:
                    session.link.send(report)
