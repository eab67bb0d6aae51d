import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.e2ee.tests.stage import person
from sidetone.e2ee import data
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind

ALICE = person("alice")
SIGNER = data.Signer(ALICE.dk, b"t" * 32, 3)
FRAMES = {counter: bytes([counter]) * 40 for counter in range(100, 150)}
HASHES = {counter: data.frame_hash(frame) for counter, frame in FRAMES.items()}
PACKET = data.pack_attestation(ALICE, SIGNER, MediaKind.AUDIO, HASHES)


def test_an_attestation_of_a_second_has_520_bytes_and_names_every_frame() -> None:
    assert len(PACKET) == 1 + 520
    attestation = data.parse_attestation(PACKET)
    assert attestation.holds(SIGNER)
    assert attestation.kind is MediaKind.AUDIO
    assert attestation.hashes == HASHES
    assert attestation.forged(HASHES) == []
    assert data.packet_type(PACKET) == 1


def test_forged_and_unnamed_frames_are_found() -> None:
    some = {counter: value for counter, value in HASHES.items() if counter != 120}
    attestation = data.parse_attestation(
        data.pack_attestation(ALICE, SIGNER, MediaKind.AUDIO, some)
    )
    received = HASHES | {110: bytes(8), 99: bytes(8), 150: bytes(8)}
    assert attestation.forged(received) == [110, 120]


def test_an_attestation_holds_for_its_speaker_sender_and_epoch_only() -> None:
    attestation = data.parse_attestation(PACKET)
    for signer in (
        data.Signer(person("bob").dk, SIGNER.transcript, 3),
        data.Signer(ALICE.dk, b"u" * 32, 3),
        data.Signer(ALICE.dk, SIGNER.transcript, 4),
    ):
        assert not attestation.holds(signer)


@given(st.integers(0, len(PACKET) - 1), st.integers(1, 255))
def test_a_changed_attestation_does_not_hold(position: int, mask: int) -> None:
    packet = bytearray(PACKET)
    packet[position] ^= mask
    try:
        attestation = data.parse_attestation(bytes(packet))
    except Rejected:
        return
    assert not attestation.holds(SIGNER)


@pytest.mark.parametrize(
    "hashes", [{}, {0: bytes(8), 256: bytes(8)}, {n: bytes(8) for n in range(101)}]
)
def test_too_many_frames_or_none_are_not_attested(hashes: dict[int, bytes]) -> None:
    with pytest.raises(Rejected, match="attestation_span"):
        data.pack_attestation(ALICE, SIGNER, MediaKind.AUDIO, hashes)


@given(*[st.floats(width=32, allow_nan=False)] * 3)
def test_a_position_is_read_back(x: float, y: float, z: float) -> None:
    assert data.parse_position(data.pack_position(x, y, z)) == (x, y, z)


@pytest.mark.parametrize("agrees", [True, False])
def test_a_consent_is_signed_for_one_epoch(agrees: bool) -> None:
    packet = data.pack_consent(ALICE, SIGNER, agrees=agrees)
    assert data.parse_consent(packet, SIGNER) is agrees
    with pytest.raises(Rejected, match="consent_signature"):
        data.parse_consent(packet, data.Signer(ALICE.dk, b"u" * 32, 3))
    turned = packet[:1] + bytes([not agrees]) + packet[2:]
    with pytest.raises(Rejected, match="consent_signature"):
        data.parse_consent(turned, SIGNER)


@pytest.mark.parametrize("state", list(data.RecordingState))
def test_who_records_is_signed_for_one_epoch(state: data.RecordingState) -> None:
    packet = data.pack_recording(ALICE, SIGNER, state)
    assert data.packet_type(packet) == data.RECORDING
    assert data.parse_recording(packet, SIGNER) is state
    others = {each for each in data.RecordingState if each is not state}
    for changed in (packet[:1] + bytes((each,)) + packet[2:] for each in others):
        with pytest.raises(Rejected, match="recording_signature"):
            data.parse_recording(changed, SIGNER)
    with pytest.raises(Rejected, match="recording_signature"):
        data.parse_recording(packet, data.Signer(ALICE.dk, SIGNER.transcript, 4))


def test_a_consent_is_no_notice_of_a_recording_nor_the_other_way_round() -> None:
    consent = data.pack_consent(ALICE, SIGNER, agrees=True)
    with pytest.raises(Rejected, match="recording_signature"):
        data.parse_recording(bytes((data.RECORDING,)) + consent[1:], SIGNER)
    with pytest.raises(Rejected, match="data_malformed"):
        data.parse_consent(data.pack_recording(ALICE, SIGNER, data.RecordingState.RUNS), SIGNER)


@given(st.binary(max_size=120), st.integers(0, 5))
def test_garbage_is_refused_and_nothing_else(garbage: bytes, first: int) -> None:
    for packet in (garbage, bytes([first]) + garbage):
        for parse in (
            data.parse_attestation,
            data.parse_position,
            lambda packet: data.parse_consent(packet, SIGNER),
            lambda packet: data.parse_recording(packet, SIGNER),
        ):
            try:
                parse(packet)
            except Rejected:
                continue
        assert data.packet_type(b"") is None
