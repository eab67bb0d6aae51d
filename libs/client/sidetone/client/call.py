"""A voice call as a bot or a desktop sees it: who is there, what is heard, what is said.

It stays when its connection does not: a node that moves, dies or falls silent is left, and the
channel joined again, until the call is left or the server says no. Who is shown as present is the
cryptographic roster, never what a server claims.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import AudioError
from sidetone.audio.devices import Microphone, Speaker, read_wav
from sidetone.audio.metrics import prometheus_text
from sidetone.audio.settings import VoiceSettings
from sidetone.audio.space import Falloff, Listener
from sidetone.client.connector import Connector
from sidetone.client.conversation import Conversation, Sound
from sidetone.client.event_stream import EventStream
from sidetone.client.events import Event, Peer, SharedScreen
from sidetone.client.keystore import KeyStore
from sidetone.client.lifeline import State
from sidetone.client.screen_share import ScreenShare
from sidetone.client.screen_view import ScreenView
from sidetone.client.session import Session
from sidetone.client.soundboard import load_clip
from sidetone.client.stats import CallStats, JoinSteps
from sidetone.credentials.tickets import Perm
from sidetone.e2ee import identity
from sidetone.e2ee.actions import Participant
from sidetone.e2ee.member import Member
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict, Invalid, NotFound, RateLimited, Unavailable
from sidetone.video.capture import Subject
from sidetone.video.quality import Quality

E = TypeVar("E", bound=Event)

VOLUME_PERCENT_MAX = 200
_SPEAKABLE_POLL_SECONDS = 0.05


class Call:
    """One call of one device. Made by ``Client.join_voice``; not for other threads."""

    def __init__(self, connector: Connector, keys: KeyStore, sound: Sound) -> None:
        self._keys = keys
        self._met_before = frozenset(pin.user for pin in keys.trust.pins())
        self._inside = Conversation(connector, keys, sound)

    async def start(self) -> None:
        """Join; returns when this device is in the group. Raises a ``Refusal``."""
        await self._inside.start()

    async def leave(self) -> None:
        """Say goodbye and free the devices; a second time does nothing."""
        await self._inside.stop()

    # --- who and what ---

    @property
    def state(self) -> State:
        """How the connection fares."""
        return self._inside.lifeline.state

    @property
    def steps(self) -> JoinSteps:
        """How long each step of the present connection's join took, from the click."""
        return self._inside.lifeline.steps

    @property
    def rights(self) -> Perm:
        """What we may do in the room."""
        return self._inside.rights

    @property
    def member(self) -> Member:
        """The member of the present connection. Raises ``Unavailable`` between connections."""
        return self._session().member

    @property
    def sender(self) -> int | None:
        """Our own place in the present room."""
        session = self._inside.lifeline.session
        return session.member.sender if session is not None else None

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The others who can hear."""
        return self._inside.peers.all()

    @property
    def participants(self) -> tuple[Participant, ...]:
        """The cryptographic roster, ourselves included."""
        session = self._inside.lifeline.session
        return session.member.participants if session is not None else ()

    @property
    def epoch(self) -> int | None:
        """The number of the epoch, None outside a group."""
        session = self._inside.lifeline.session
        return session.member.epoch if session is not None else None

    @property
    def code(self) -> str | None:
        """Thirty digits that are equal for all who hold the same keys."""
        session = self._inside.lifeline.session
        return session.member.code if session is not None else None

    def user_of(self, sender: int) -> UserId | None:
        """Return who of the others has this place in the room."""
        peer = self._inside.peers.of_sender(sender)
        return peer.user if peer is not None else None

    def events(self) -> EventStream:
        """Return an iterator over the events from now on; it ends with the call."""
        return self._inside.events.open()

    async def wait_for(self, kind: type[E]) -> E:
        """Return the next event of *kind*. Raises ``Conflict`` if the call ends before."""
        stream = self._inside.events.open()
        try:
            async for event in stream:
                if isinstance(event, kind):
                    return event
        finally:
            self._inside.events.close(stream)
        raise Conflict("call_ended", "the call is over")

    async def heard(self, user: UserId) -> None:
        """Return when the next frame of *user* has been decrypted; ``Conflict`` at the end."""
        if self.state == "ended":
            raise Conflict("call_ended", "the call is over")
        awaited = self._inside.awaited.get(user)
        if awaited is None:
            awaited = asyncio.get_running_loop().create_future()
            self._inside.awaited[user] = awaited
        try:
            await asyncio.shield(awaited)
        except asyncio.CancelledError:
            if not awaited.cancelled():
                raise
            raise Conflict("call_ended", "the call is over") from None

    def stats(self) -> CallStats:
        """Return a moment's figures."""
        self._inside.look()
        engine = self._inside.engine.stats()
        session = self._inside.lifeline.session
        link = session.link if session is not None else None
        users = ((self.user_of(sender), stats) for sender, stats in engine.speakers.items())
        return CallStats(
            peers={user: stats for user, stats in users if user is not None},
            engine=engine,
            rtt_ms=link.rtt_ms if link is not None else None,
            loss_reported_percent=self._inside.engine.loss_reported_percent,
            frames_opened=self._inside.tally.opened + engine.frames_opened,
            frames_refused=dict(self._inside.tally.refused + Counter(engine.refused)),
            frames_not_sent=dict(self._inside.tally.not_sent),
            datagrams_dropped=self._inside.tally.datagrams_dropped
            + (link.datagrams_dropped if link is not None else 0),
            reconnects=self._inside.tally.reconnects,
        )

    def metrics(self) -> str:
        """Return the same figures of sound as text that Prometheus scrapes, by user id."""
        stats = self.stats()
        return prometheus_text(stats.engine, {str(user): of for user, of in stats.peers.items()})

    # --- what the owner does ---

    @property
    def level_db(self) -> float:
        """The microphone's level in dBFS, also while muted."""
        return self._inside.engine.level_db

    @property
    def is_speaking(self) -> bool:
        """Whether we are heard just now."""
        return self._inside.engine.is_heard

    @property
    def muted(self) -> bool:
        """Whether the microphone is off."""
        return self._inside.engine.muted

    @property
    def deafened(self) -> bool:
        """Whether nothing is to be heard."""
        return self._inside.engine.deafened

    def set_muted(self, muted: bool) -> None:  # noqa: FBT001 (like the engine's)
        """Switch the microphone off or on, and tell the others."""
        self._inside.set_muted(muted=muted)

    def set_deafened(self, deafened: bool) -> None:  # noqa: FBT001 (like the engine's)
        """Stop or resume hearing; the node then sends nothing, and the others are told."""
        self._inside.engine.set_deafened(deafened)
        self._inside.tell_state()

    def set_volume(self, user: UserId, percent: int) -> None:
        """Make *user* louder or softer, 0 to 200 %, also when they come back."""
        self._inside.volumes[user] = max(0, min(percent, VOLUME_PERCENT_MAX))
        self._inside.beside.set_all_gains()

    def set_voice(self, settings: VoiceSettings) -> None:
        """Capture and encode by *settings* from now on."""
        self._inside.engine.set_voice(settings)

    def push_to_talk(self, pushed: bool) -> None:  # noqa: FBT001 (like the engine's)
        """Note that the key is held down, or let go; for ``Activation.PUSH_TO_TALK``."""
        self._inside.engine.push_to_talk(pushed)

    def set_sidetone(self, percent: int) -> None:
        """Hear yourself as the others do, 0 (not at all) to 200 %."""
        self._inside.engine.set_sidetone(percent)

    def use_devices(
        self, microphone: Microphone | None = None, speaker: Speaker | None = None
    ) -> None:
        """Go over to other devices in the middle of the call; those before are closed."""
        if microphone is not None:
            self._inside.engine.use_microphone(microphone)
        if speaker is not None:
            self._inside.engine.use_speaker(speaker)

    def set_output_volume(self, percent: int) -> None:
        """Make everything louder or softer, 0 to 200 %."""
        self._inside.engine.set_output_volume(max(0, min(percent, VOLUME_PERCENT_MAX)))

    async def play(self, clip: Path | NDArray[np.float32]) -> None:
        """Say *clip* (a WAV file, or 48 kHz mono samples) and return when it has been said.

        Clips are said one after another. Raises ``Conflict`` in a call with a microphone of its
        own, ``Invalid`` for a file that is no sound, ``RateLimited`` when very many clips wait.
        """
        clips = self._inside.clips
        if clips is None:
            raise Conflict("microphone_in_use", "this call has a microphone; join without one")
        try:
            samples = await asyncio.to_thread(read_wav, clip) if isinstance(clip, Path) else clip
        except AudioError as error:
            raise Invalid("clip_unusable", str(error)) from error
        await self._speakable()
        said = asyncio.Event()
        if not clips.say(samples, lambda: self._inside.soon(said.set)):
            raise RateLimited("clips_waiting", "too many clips wait to be played")
        await said.wait()

    async def play_sound(self, clip: Path | NDArray[np.float32], percent: int = 100) -> None:
        """Say *clip* beside what the microphone hears; a clip that plays is replaced.

        Returns when it plays. Raises ``Invalid`` for a file that is no sound or lasts longer than
        a minute.
        """
        try:
            samples = await asyncio.to_thread(load_clip, clip) if isinstance(clip, Path) else clip
            self._inside.engine.play_clip(samples, max(0, min(percent, VOLUME_PERCENT_MAX)) / 100)
        except AudioError as error:
            raise Invalid("clip_unusable", str(error)) from error

    def stop_sound(self) -> None:
        """End the clip that plays."""
        self._inside.engine.stop_clip()

    # --- screens ---

    @property
    def screens(self) -> tuple[SharedScreen, ...]:
        """What the others show; ``ScreenStarted`` and ``ScreenStopped`` tell of changes."""
        return self._inside.screens.shown

    @property
    def screen_share(self) -> ScreenShare | None:
        """Our own share, while there is one."""
        return self._inside.screens.share

    async def share_screen(self, subject: Subject, quality: Quality) -> ScreenShare:
        """Show a monitor or window (see ``sidetone.video.screens``) to all who want to see it.

        Ends by its ``stop``, by itself where it cannot go on (``ShareEnded``), or with the call.
        Raises ``Forbidden`` without the right to, ``Conflict`` while another is shown,
        ``Unavailable`` if *subject* cannot be seen.
        """
        return await self._inside.screens.start(subject, quality)

    def watch(self, user: UserId) -> ScreenView:
        """See what *user* shows; the same view again while there is one.

        Raises ``NotFound`` if they show nothing.
        """
        return self._inside.screens.watch(user)

    # --- recording, with everybody's consent ---

    def ask_to_record(self) -> None:
        """Ask all in the call whether they agree; they see it, and we are seen to agree."""
        self._session()
        self._inside.beside.ask()

    def consent(self, agrees: bool) -> None:  # noqa: FBT001 (the answer)
        """Answer who asked, or take the answer back: every recording then pauses at once."""
        self._inside.beside.agree(agrees)

    async def start_recording(self, folder: Path) -> None:
        """Record all voices into *folder*, a file for each; only while all agree.

        It pauses by itself when somebody joins or takes consent back, and goes on when all agree.
        Raises ``Conflict`` before that, ``Invalid`` for a folder that cannot be used.
        """
        await self._inside.beside.recorder.start(folder)

    async def stop_recording(self) -> None:
        """Complete the files, and ask no more; raises ``Invalid`` where the disk is full."""
        await self._inside.beside.stop_asking()

    # --- where everybody is ---

    def set_positional(self, on: bool) -> None:  # noqa: FBT001 (like the engine's)
        """Hear voices from where their speakers are and tell where we are, or neither."""
        self._inside.beside.set_positional(on)

    def set_position(self, x: float, y: float, z: float) -> None:
        """Be at this place in the game's world; raises ``ValueError`` for what is none."""
        self._inside.beside.set_position((x, y, z))

    def set_listener(self, listener: Listener, falloff: Falloff | None = None) -> None:
        """Put our ears somewhere, and say how voices fade with distance."""
        self._inside.beside.set_listener(listener, falloff)

    def is_new(self, user: UserId) -> bool:
        """Tell whether *user* was met for the first time in this call: their key is just known."""
        return user.bytes not in self._met_before

    def safety_number(self, user: UserId) -> str:
        """Return the 60 digits that we and *user* compare once, by another way than this one."""
        own = self._keys.identity
        return identity.safety_number(own.user, own.uik, user.bytes, self._uik_of(user))

    def verify(self, user: UserId) -> None:
        """Trust the key of *user* for good: the safety number was compared."""
        session = self._session()
        session.act(session.member.verify(user.bytes, self._uik_of(user)))

    def confirm(self, user: UserId) -> None:
        """Accept the changed key of *user*, so that the microphone is let go."""
        session = self._session()
        session.act(session.member.confirm(user.bytes, self._uik_of(user)))

    def _session(self) -> Session:
        session = self._inside.lifeline.session
        if session is None or session.lost.done():
            raise Unavailable("not_connected", "the call has no connection just now")
        return session

    def _uik_of(self, user: UserId) -> bytes:
        for participant in self.participants:
            if participant.user == user.bytes:
                return participant.uik
        raise NotFound("peer_unknown", "this user is not in the call")

    async def _speakable(self) -> None:
        """Wait until the group can decrypt what we say; the epoch's first moments are skipped."""
        while self.state != "ended":
            session = self._inside.lifeline.session
            at_ms = session.member.sends_at_ms if session is not None else None
            if session is not None and at_ms is not None and at_ms <= session.now_ms():
                return
            await asyncio.sleep(_SPEAKABLE_POLL_SECONDS)
        raise Conflict("call_ended", "the call is over")
