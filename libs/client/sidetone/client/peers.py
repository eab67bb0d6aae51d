"""Who is in the call and who speaks, as events. No I/O, no clock.

The cryptographic roster alone says who is in: what the voice node tells is shown beside it, and
never adds or hides anybody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sidetone.client.events import (
    Event,
    Peer,
    PeerJoined,
    PeerLeft,
    PeerStateChanged,
    SpeakerStarted,
    SpeakerStopped,
)
from sidetone.e2ee.actions import Participant
from sidetone.protocol.ids import DeviceId, Sender, UserId

# A talkspurt whose end was lost is over after this much silence.
SPEAKING_SECONDS_MAX = 0.6


@dataclass(frozen=True, slots=True)
class _State:
    muted: bool
    deafened: bool


_AUDIBLE = _State(muted=False, deafened=False)


class Peers:
    """The others in the call of one device, over all its connections."""

    def __init__(self, own_device: DeviceId) -> None:
        self._own_device = own_device
        self._by_device: dict[DeviceId, Peer] = {}
        self._by_sender: dict[int, Peer] = {}
        self._states: dict[int, _State] = {}
        self._spoke_at: dict[int, float] = {}

    def all(self) -> tuple[Peer, ...]:
        """Return the others, in the order of their places in the room."""
        return tuple(self._by_device.values())

    def of_sender(self, sender: int) -> Peer | None:
        """Return who has this place in the room."""
        return self._by_sender.get(sender)

    def of_user(self, user: UserId) -> list[Peer]:
        """Return the devices of *user* that have a place in the present room."""
        return [peer for peer in self._by_sender.values() if peer.user == user]

    def enter_room(self) -> list[Event]:
        """Forget the places of the room before; the new room gives new ones to the same peers."""
        hushed = self._hush(list(self._spoke_at))
        self._states.clear()
        self._by_sender.clear()
        return hushed

    def set_roster(self, participants: Sequence[Participant]) -> list[Event]:
        """Take over the cryptographic roster; a device that only changed its place stays."""
        before = self._by_device
        peers = [self._peer(participant) for participant in participants]
        now = {peer.device: peer for peer in peers if peer.device != self._own_device}
        gone = [peer for device, peer in before.items() if device not in now]
        events = self._hush([peer.sender for peer in gone])
        self._by_device = now
        self._by_sender = {peer.sender: peer for peer in now.values()}
        events += [PeerLeft(peer) for peer in gone]
        events += [PeerJoined(peer) for device, peer in now.items() if device not in before]
        return events

    def set_state(self, sender: int, *, muted: bool, deafened: bool) -> list[Event]:
        """Note what the voice node says of *sender*, who need not be in the roster yet."""
        self._states[sender] = _State(muted, deafened)
        peer = self._by_sender.get(sender)
        if peer is None or (peer.muted, peer.deafened) == (muted, deafened):
            return []
        changed = replace(peer, muted=muted, deafened=deafened)
        self._by_sender[sender] = self._by_device[peer.device] = changed
        return [PeerStateChanged(changed)]

    def forget_state(self, sender: int) -> None:
        """Drop what the voice node said of *sender*, who is gone."""
        self._states.pop(sender, None)

    def spoke(self, sender: int, now: float, *, end: bool) -> list[Event]:
        """Note an audio frame of *sender* at *now* seconds."""
        if end:
            return self._hush([sender])
        began = sender not in self._spoke_at
        self._spoke_at[sender] = now
        peer = self._by_sender.get(sender) if began else None
        return [SpeakerStarted(peer.user)] if peer is not None else []

    def hush_silent(self, now: float) -> list[Event]:
        """End the talkspurts that have not been heard of for too long."""
        return self._hush(
            [
                sender
                for sender, spoke_at in self._spoke_at.items()
                if now - spoke_at > SPEAKING_SECONDS_MAX
            ]
        )

    def _hush(self, senders: Iterable[int]) -> list[Event]:
        events: list[Event] = []
        for sender in senders:
            spoke = self._spoke_at.pop(sender, None) is not None
            peer = self._by_sender.get(sender)
            if spoke and peer is not None:
                events.append(SpeakerStopped(peer.user))
        return events

    def _peer(self, participant: Participant) -> Peer:
        state = self._states.get(participant.sender, _AUDIBLE)
        return Peer(
            UserId(UUID(bytes=participant.user)),
            DeviceId(UUID(bytes=participant.device)),
            Sender(participant.sender),
            participant.shield,
            state.muted,
            state.deafened,
        )
