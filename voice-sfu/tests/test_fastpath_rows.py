"""One row and what aioquic knows of the same connection: they must not come apart."""

from collections.abc import Generator

import pytest
from aioquic.tls import Epoch

from sidetone.quic import notices
from sidetone.quic.connections import OFF
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.domain.limits import FLOOD_FACTOR, Rates
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.infrastructure.fastpath import control
from sidetone.voice_sfu.infrastructure.fastpath.media import NOTICES_MAX
from tests.load.fastpath_stage import Peer, Stage
from tests.load.quic_shapes import said, varint
from tests.load.sfu_stage import frame

STREAM = b"\x0a\x00\x03abc"


@pytest.fixture
def stage(identity: Identity) -> Generator[Stage]:
    with Stage(identity, 3) as stage:
        yield stage


def _hears(listener: Peer, speaker: Peer, count: int) -> None:
    """Let the listener hear frames, and acknowledge them."""
    for _ in range(count):
        each = frame(speaker.sender)
        assert speaker.send(said(each))
        assert listener.heard() == [each]
        listener.settle()


def test_no_packet_number_is_sealed_twice_when_a_member_goes(stage: Stage) -> None:
    """Two texts under one key and nonce would give both away, and the client drops the second."""
    ann, ben, _ = stage.peers
    _hears(ben, ann, 3)
    for _ in range(20):
        ann.send(said(frame(ann.sender)))
    assert len(ben.heard()) == 20
    number = int(ben.row.connection.next_number)
    ben.lane.close()
    ben.server.close(error_code=1, reason_phrase="put_out")
    (goodbye,) = ben.server.datagrams_to_send(now=stage.now_ns / 1e9)
    ben.client.receive_datagram(goodbye[0], ("127.0.0.1", 443), now=stage.now_ns / 1e9)
    assert ben.server._packet_number == number + 1
    assert ben.client._close_event is not None
    assert ben.client._close_event.reason_phrase == "put_out"


def test_aioquic_reads_on_when_a_member_goes_after_many_packets(stage: Stage) -> None:
    ann, _, _ = stage.peers
    for _ in range(8):
        ann.number += 30_000
        assert ann.send(b"\x01")
    ann.lane.close()
    data = ann.sealed(STREAM)
    ann.server.receive_datagram(data, ann.address, now=stage.now_ns / 1e9)
    assert ann.server._spaces[Epoch.ONE_RTT].largest_received_packet == ann.number - 1


@pytest.mark.parametrize("delay", [0, 1 << 20, (1 << 61) - 10**15 // 8, (1 << 62) - 1])
def test_a_lie_about_a_delay_leaves_the_round_trip_believable(stage: Stage, delay: int) -> None:
    """aioquic waits for an idle peer three times as long as its probes take."""
    ann, ben, _ = stage.peers
    _hears(ben, ann, 3)
    ann.send(said(frame(ann.sender)))
    stage.wait(40)
    largest = int(ben.row.connection.next_number) - 1
    assert ben.send(b"\x02" + varint(largest) + varint(delay) + b"\0\0")
    assert 0 < ben.row.connection.rtt_ns <= 40_000_000


def test_what_cannot_be_handed_to_aioquic_is_not_acknowledged(stage: Stage) -> None:
    """It would be lost for good, and its stream would stand still."""
    ann, _, _ = stage.peers
    shared = stage.shared
    shared.notices.words[notices.TAKEN] -= NOTICES_MAX
    data = ann.sealed(STREAM)
    assert stage.take(data, ann.name)
    shared.notices.words[notices.TAKEN] += NOTICES_MAX
    assert shared.notices.words[notices.FULL] == 1
    assert not stage.take(data, ann.name), "it is no duplicate when it comes again"


def test_what_only_old_keys_open_is_not_acknowledged_unless_kernels_read_it(
    stage: Stage,
) -> None:
    """aioquic forgets the keys of a phase at once, and could not read it."""
    ann, ben, _ = stage.peers
    heard, late = frame(ann.sender), ann.number
    old_datagram, old_stream = ann.sealed(said(heard)), ann.sealed(STREAM)
    ann.lane.key_packets_max = -1
    ann.lane.look()
    assert ann.row.connection.peer.key_phase == 1
    assert stage.take(old_datagram, ann.name)
    assert ben.heard() == [heard]
    largest = int(ann.row.connection.received_largest)
    assert largest == late
    assert stage.take(old_stream, ann.name)
    assert ann.row.connection.received_largest == largest


def test_a_row_begins_without_the_rights_of_who_had_it(stage: Stage) -> None:
    ben = stage.peers[1]
    index = ben.lane.index
    assert (ben.row.speaks, ben.row.hears) == (1, 1)
    ben.lane.close()
    assert ben.row.connection.state == OFF
    control.take(stage.shared, index, 0, 9, stage.now_ns)
    assert (ben.row.speaks, ben.row.hears) == (0, 0)
    control.give_back(stage.shared, index)


def test_a_row_that_is_aioquics_is_protected_from_floods_as_well(identity: Identity) -> None:
    with Stage(identity, 1, Rates(packets_per_second=10)) as stage:
        (ann,) = stage.peers
        ann.row.connection.state = OFF
        handled = [stage.take(ann.sealed(b"\x01"), ann.name) for _ in range(12 * FLOOD_FACTOR)]
        assert sum(handled) == 12 * FLOOD_FACTOR - (10 * FLOOD_FACTOR - 1)
        ann.lane.settle()
        assert ann.meter.drops[Drop.FLOOD] == sum(handled)
        assert not ann.row.flooded


def test_five_seconds_of_flood_are_told_once(identity: Identity) -> None:
    with Stage(identity, 1, Rates(packets_per_second=2)) as stage:
        (ann,) = stage.peers
        for _ in range(7):
            for _ in range(3 * FLOOD_FACTOR):
                stage.take(ann.sealed(b"\x01"), ann.name)
            stage.wait(1000)
        stage.path.take_notices()
        assert ann.floods == 1


@pytest.mark.parametrize("frame_max", [43, 44, 500, 1002, 1003])
def test_a_peer_gets_the_longest_frame_that_it_takes_and_no_longer(
    identity: Identity, frame_max: int
) -> None:
    lengths = sorted({24, 40, 41, 42, 497, 498, 999, 1000, frame_max - 3})
    with Stage(identity, 1) as stage:
        ann, small = stage.peers[0], stage.add(max_datagram_frame_size=frame_max)
        for length in lengths:
            each = frame(ann.sender, payload=bytes(length - 8))
            ann.send(said(each))
            assert small.heard() == ([each] if length + 3 <= frame_max else [])
            small.settle()
        small.lane.settle()
        assert small.meter.drops[Drop.SIZE] == sum(each + 3 > frame_max for each in lengths)


@pytest.mark.parametrize("length", [1, 3, 8, 20])
def test_a_peer_gives_its_connection_id_any_length(identity: Identity, length: int) -> None:
    with Stage(identity, 1) as stage:
        ann, ben = stage.peers[0], stage.add(connection_id_length=length)
        assert ben.row.connection.peer.cid_length == length
        _hears(ben, ann, 5)
        _hears(ann, ben, 5)


@pytest.mark.parametrize("prefix", [b"\x00", b"\x40\x41", b"\x80\x01\x02\x03", b"\xc0" + bytes(7)])
def test_what_stands_before_each_frame_of_a_peer_is_no_part_of_it(
    stage: Stage, prefix: bytes
) -> None:
    """WebTransport puts the number of a session there."""
    ann, guest, _ = stage.peers
    guest.row.connection.peer.prefix_length = len(prefix)
    guest.row.connection.peer.prefix[: len(prefix)] = list(prefix)
    to_guest, to_ann = frame(ann.sender, payload=bytes(992)), frame(guest.sender)
    assert ann.send(said(to_guest))
    assert guest.heard() == [prefix + to_guest]
    for head in (b"\x30", b"\x31" + varint(len(prefix + to_ann))):
        assert guest.send(head + prefix + to_ann)
        assert ann.heard() == [to_ann]
    for short in (prefix[:-1], prefix, prefix + to_ann[:23], prefix + bytes(1001)):
        assert guest.send(said(short))
    assert guest.row.counts.drops[list(Drop).index(Drop.SIZE)] == 4
    assert ann.heard() == []
