"""A proof that cannot fail proves nothing: each opponent is given a key and must be caught."""

import os

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from sidetone.all_in_one.demo.evidence import Evidence
from sidetone.all_in_one.demo.proof import EXCLUSION_NS, judge
from sidetone.e2ee.schedule import MediaKind, frame_key

EPOCH, SENDER = 7, 2
CHAIN = os.urandom(32)
NAME = (EPOCH, SENDER, MediaKind.AUDIO)
REMOVED_AT_NS = 5_000_000_000


def frame(counter: int, key: bytes) -> bytes:
    header = bytes((0x40, EPOCH)) + SENDER.to_bytes(2, "big") + counter.to_bytes(4, "big")
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        b"opus", header, key[32:] + header, key[:32]
    )
    return header + sealed


def evidence(held: list[bytes], commits: list[bytes] | None = None) -> Evidence:
    frames = [frame(n, frame_key(CHAIN)) for n in range(20)]
    passed_ns = [n * 1_000_000_000 for n in range(20)]
    return Evidence(frames, passed_ns, commits or [], [], held)


def test_a_member_opens_all_and_a_server_without_keys_none() -> None:
    held = [os.urandom(32), os.urandom(358), b"short", b""]
    verdict = judge(evidence(held), {NAME: {frame_key(CHAIN)}}, {}, REMOVED_AT_NS)
    assert (verdict.tried, verdict.opened_by_member, verdict.opened_by_server) == (20, 20, 0)


def test_a_member_with_another_key_opens_none() -> None:
    verdict = judge(evidence([]), {NAME: {frame_key(os.urandom(32))}}, {}, REMOVED_AT_NS)
    assert verdict.opened_by_member == 0


@pytest.mark.parametrize("wrapping", [lambda key: key, lambda key: b"abc" + key + b"d"])
def test_a_chain_key_anywhere_on_the_server_is_found(wrapping) -> None:  # noqa: ANN001
    verdict = judge(evidence([wrapping(CHAIN)]), {}, {}, REMOVED_AT_NS)
    assert verdict.opened_by_server > 0


def test_a_removed_member_with_living_keys_is_found() -> None:
    verdict = judge(evidence([]), {}, {NAME: {frame_key(CHAIN)}}, REMOVED_AT_NS)
    assert verdict.removed_tried == verdict.opened_by_removed == 20 - 1 - 6
    assert verdict.exclusion_ms == 3 * EXCLUSION_NS / 1e6


def test_a_removed_member_with_dead_keys_opens_nothing() -> None:
    verdict = judge(evidence([]), {}, {NAME: {frame_key(os.urandom(32))}}, REMOVED_AT_NS)
    assert (verdict.opened_by_removed, verdict.exclusion_ms) == (0, 0.0)
