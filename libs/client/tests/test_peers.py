from uuid import UUID

from sidetone.client.events import (
    PeerJoined,
    PeerLeft,
    PeerStateChanged,
    SpeakerStarted,
    SpeakerStopped,
)
from sidetone.client.peers import SPEAKING_SECONDS_MAX, Peers
from sidetone.e2ee.actions import Participant
from sidetone.e2ee.trust import Shield
from sidetone.protocol.ids import DeviceId, UserId

OWN = DeviceId(UUID(int=100))
ADA, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))


def participant(user: UserId, sender: int, device: int = 0) -> Participant:
    owned = UUID(int=device or user.int)
    return Participant(sender, user.bytes, owned.bytes, bytes(32), bytes(32), Shield.KNOWN)


US = Participant(0, UUID(int=9).bytes, OWN.bytes, bytes(32), bytes(32), Shield.KNOWN)


def test_the_roster_alone_says_who_joins_and_leaves() -> None:
    peers = Peers(OWN)
    assert peers.set_state(3, muted=True, deafened=False) == []
    assert peers.all() == ()
    (joined,) = peers.set_roster([US, participant(ADA, 3)])
    assert isinstance(joined, PeerJoined)
    assert (joined.peer.user, joined.peer.muted) == (ADA, True)
    assert peers.set_roster([US, participant(ADA, 3)]) == []
    assert peers.set_roster([US]) == [PeerLeft(joined.peer)]


def test_a_device_that_changes_its_place_neither_leaves_nor_joins() -> None:
    peers = Peers(OWN)
    peers.set_roster([participant(ADA, 3), US])
    peers.enter_room()
    assert [peer.user for peer in peers.all()] == [ADA]
    assert peers.of_sender(3) is None
    assert peers.set_roster([participant(ADA, 7)]) == []
    assert [peer.sender for peer in peers.of_user(ADA)] == [7]


def test_two_devices_of_a_user_are_two_peers() -> None:
    peers = Peers(OWN)
    peers.set_roster([participant(ADA, 1, 11), participant(ADA, 2, 12)])
    assert {peer.sender for peer in peers.of_user(ADA)} == {1, 2}


def test_a_talkspurt_begins_once_and_ends_once() -> None:
    peers = Peers(OWN)
    peers.set_roster([participant(ADA, 3)])
    assert peers.spoke(3, 1.0, end=False) == [SpeakerStarted(ADA)]
    assert peers.spoke(3, 1.01, end=False) == []
    assert peers.spoke(3, 1.02, end=True) == [SpeakerStopped(ADA)]
    assert peers.spoke(3, 1.03, end=True) == []


def test_a_talkspurt_whose_end_was_lost_ends_by_itself() -> None:
    peers = Peers(OWN)
    peers.set_roster([participant(ADA, 3), participant(BEN, 4)])
    peers.spoke(3, 1.0, end=False)
    peers.spoke(4, 1.5, end=False)
    assert peers.hush_silent(0.9 + SPEAKING_SECONDS_MAX) == []
    assert peers.hush_silent(1.1 + SPEAKING_SECONDS_MAX) == [SpeakerStopped(ADA)]


def test_a_speaker_who_leaves_stops_first() -> None:
    peers = Peers(OWN)
    peers.set_roster([participant(ADA, 3)])
    peers.spoke(3, 1.0, end=False)
    stopped, left = peers.set_roster([])
    assert stopped == SpeakerStopped(ADA)
    assert isinstance(left, PeerLeft)


def test_a_state_is_told_when_it_differs() -> None:
    peers = Peers(OWN)
    peers.set_roster([participant(ADA, 3)])
    (changed,) = peers.set_state(3, muted=False, deafened=True)
    assert isinstance(changed, PeerStateChanged)
    assert changed.peer.deafened
    assert peers.all() == (changed.peer,)
    assert peers.set_state(3, muted=False, deafened=True) == []
