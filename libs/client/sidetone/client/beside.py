"""What travels beside sound in a call: consents, who records, and where everybody is.

Ties three state machines to the call they are about. Runs on the event loop.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sidetone.audio.copies import OWN
from sidetone.audio.engine import Engine
from sidetone.audio.space import Falloff, Listener, Vector
from sidetone.client.call_recording import Voice
from sidetone.client.consent import Consents, Epoch
from sidetone.client.events import Event
from sidetone.client.peers import Peers
from sidetone.client.positions import Positions
from sidetone.client.recorder import Recorder
from sidetone.e2ee import data
from sidetone.e2ee.identity import DeviceIdentity
from sidetone.e2ee.media import Opened
from sidetone.e2ee.member import Member
from sidetone.protocol.ids import DeviceId, UserId

VOLUME_PERCENT: Final = 100
_NS_PER_MS: Final = 1_000_000


class Beside:
    """The data packets of one call, sent with *send*; events go to *publish*.

    *volumes* are what the owner has set, in percent.
    """

    def __init__(
        self,
        identity: DeviceIdentity,
        engine: Engine,
        peers: Peers,
        volumes: Mapping[UserId, int],
        send: Callable[[bytes], None],
        publish: Callable[[Sequence[Event]], None],
    ) -> None:
        self._own = Voice(UserId(UUID(bytes=identity.user)), DeviceId(UUID(bytes=identity.device)))
        self._engine = engine
        self._peers = peers
        self._volumes = volumes
        self._send = send
        self._publish_outside = publish
        self._consents = Consents(identity)
        self._positions = Positions()
        self.recorder = Recorder(engine, self._consents, self, _now_ms)

    # --- what happens ---

    def received(self, opened: Opened) -> None:
        """Take a packet of the data kind; raises ``Rejected`` for one that is not what it says."""
        match data.packet_type(opened.payload):
            case data.CONSENT | data.RECORDING:
                self.publish(self._consents.received(opened, _now_ms()))
                self._say()
            case data.POSITION:
                place = (opened.epoch, opened.counter)
                if self._positions.received(opened.sender, place, opened.payload, _now_ms()):
                    self.set_gains(opened.sender)
            case _:
                pass

    def epoch_began(self, member: Member) -> None:
        """Say anew, signed for the new epoch, what still holds."""
        if member.epoch is None or member.transcript is None or member.sender is None:
            return
        epoch = Epoch(member.epoch, member.transcript, member.sender, member.participants)
        self.publish(self._consents.epoch_began(epoch, _now_ms()))
        self._say()

    def enter_room(self) -> None:
        """Forget the places of the room before."""
        self._consents.left_room()
        self.recorder.enter_room()
        self._positions.enter_room()

    def left(self, sender: int) -> None:
        """Forget where somebody was who has left."""
        self._positions.forget(sender)

    def tick(self) -> None:
        """Do what time has made due; call it about twenty times a second."""
        now_ms = _now_ms()
        self.publish(self._consents.tick(now_ms))
        self._say()
        for sender in self._positions.forget_silent(now_ms):
            self.set_gains(sender)
        position = self._positions.outgoing(now_ms)
        if position is not None:
            self._send(position)

    # --- recording ---

    def ask(self) -> None:
        """Ask everybody whether the call may be recorded."""
        self.publish(self._consents.ask(_now_ms()))
        self._say()

    def agree(self, agrees: bool) -> None:  # noqa: FBT001 - the answer
        """Answer, or take the answer back."""
        self.publish(self._consents.agree(agrees, _now_ms()))
        self._say()

    async def stop_asking(self) -> None:
        """Neither record nor ask any more."""
        try:
            await self.recorder.stop()
        finally:
            self.publish(self._consents.stop("stopped", _now_ms()))
            self._say()

    def voices(self) -> dict[int, Voice]:
        """Return who has which place in the room, ourselves included."""
        others = {peer.sender: Voice(peer.user, peer.device) for peer in self._peers.all()}
        return {OWN: self._own, **others}

    def publish(self, changes: Sequence[Event]) -> None:
        """Tell the owner of the call, and put it down in the recording."""
        self.recorder.note(changes)
        self._publish_outside(changes)

    # --- loudness and place ---

    def set_gains(self, sender: int) -> None:
        """Have the engine play somebody as loud as is wanted, and from where they are."""
        peer = self._peers.of_sender(sender)
        if peer is not None:
            volume = self._volumes.get(peer.user, VOLUME_PERCENT) / 100
            left, right = self._positions.ears(sender)
            self._engine.set_gains(sender, volume * left, volume * right)

    def set_all_gains(self) -> None:
        """Do the same for everybody."""
        for peer in self._peers.all():
            self.set_gains(peer.sender)

    def set_positional(self, on: bool) -> None:  # noqa: FBT001 - a switch
        """Hear voices from where they are and tell where we are, or neither."""
        self._positions.on = on
        self.set_all_gains()

    def set_position(self, place: Vector | None) -> None:
        """Be at *place*; ``ValueError`` for what is none."""
        self._positions.set_own(place)

    def set_listener(self, listener: Listener, falloff: Falloff | None) -> None:
        """Put our ears where *listener* says; None leaves the falloff as it is."""
        self._positions.listener = listener
        self._positions.falloff = falloff or self._positions.falloff
        self.set_all_gains()

    def _say(self) -> None:
        for word in self._consents.outgoing(_now_ms()):
            self._send(word)


def _now_ms() -> int:
    return time.monotonic_ns() // _NS_PER_MS
