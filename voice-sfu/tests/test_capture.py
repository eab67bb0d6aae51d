"""What leaves and comes is QUIC to others as well: a call is captured, and tshark reads it."""

import asyncio
from pathlib import Path

import pytest
from aioquic.tls import Epoch

from sidetone.voice_sfu.app import Options, Unit
from tests.load.capture import TSHARK, Seen, Tap, read
from tests.load.sfu_stage import PATIENCE_SECONDS, Client, VoiceDesk, connected, frame

TURNS = 30
DATAGRAM = {0x30, 0x31}
ACK = 0x02

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def options(request: pytest.FixtureRequest) -> Options:
    return Options(fast_path=request.param)


async def test_an_independent_implementation_reads_the_packets_of_a_call(
    unit: Unit, desk: VoiceDesk, options: Options, tmp_path: Path
) -> None:
    assert (unit.server.media_path is not None) == options.fast_path
    capture, secrets = tmp_path / "call.pcap", tmp_path / "secrets.txt"
    tap = Tap(unit.port)
    await tap.open()
    with secrets.open("w") as log:
        async with (
            connected(unit.port) as ann,
            connected(unit.port) as cara,
            connected(tap.port, secrets_log_file=log) as ben,
        ):
            for client in (ann, cara, ben):
                await client.join(desk.ticket(unit.node.node))
            said, heard = await _talk((ann, cara), ben)
            await _acknowledged(ben)
    tap.close()
    tap.write(capture)
    seen = await read(capture, secrets)
    assert len(seen) == len(tap.kept)
    assert [each.faults for each in seen if each.faults] == []
    _check_direction([each for each in seen if each.from_client], said)
    _check_direction([each for each in seen if not each.from_client], heard)
    _check_acknowledgements(seen)


async def _talk(others: tuple[Client, ...], ben: Client) -> tuple[list[bytes], list[bytes]]:
    """Let all speak, with new keys now and then; return what *ben* says and hears."""
    said: list[bytes] = []
    heard: list[bytes] = []
    for turn in range(TURNS):
        if turn % 10 == 5:
            ben._quic.request_key_update()
        said.append(frame(ben.sender, payload=bytes([turn]) * 100))
        ben.say(said[-1])
        for other in others:
            assert await other.heard() == said[-1]
        for other in others:
            other.say(frame(other.sender, payload=bytes([turn]) * (60 + turn)))
        heard += [await ben.heard() for _ in others]
        for other in others:
            for _ in others[1:]:
                await other.heard()
    return said, heard


async def _acknowledged(client: Client) -> None:
    """Wait until neither side owes the other an acknowledgement."""
    space = client._quic._spaces[Epoch.ONE_RTT]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while space.ack_eliciting_in_flight or space.ack_at is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _check_direction(seen: list[Seen], frames: list[bytes]) -> None:
    assert [datagram for each in seen for datagram in each.datagrams] == frames
    assert sum(kind in DATAGRAM for each in seen for kind in each.frame_types) == len(frames)
    numbers = [number for each in seen if each.key_phases for number in each.numbers[-1:]]
    assert numbers == sorted(set(numbers))
    assert {phase for each in seen for phase in each.key_phases} == {False, True}


def _check_acknowledgements(seen: list[Seen]) -> None:
    """Let both sides acknowledge all that carried frames, and nothing that was not sent."""
    for from_client in (True, False):
        sent: set[int] = set()
        carried: set[int] = set()
        acknowledged: set[int] = set()
        for each in seen:
            if each.from_client == from_client:
                sent.update(each.numbers)
                carried.update(each.numbers if each.datagrams else [])
            else:
                acknowledged.update(number for some in each.acknowledged for number in some)
                assert acknowledged <= sent
        assert carried <= acknowledged
        assert any(ACK in each.frame_types for each in seen if each.from_client != from_client)
