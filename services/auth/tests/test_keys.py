"""Signing keys come and go without a token that cannot be verified."""

import asyncio
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.auth.tests.stage import Stage
from sidetone.auth.app import rotate_keys
from sidetone.auth.domain.key_schedule import (
    KEPT_AFTER_MS,
    PUBLISHED_BEFORE_MS,
    ROTATED_AFTER_MS,
    DatedKey,
    schedule,
)
from sidetone.auth.infrastructure.sql_keys import KeyRing
from sidetone.bus.memory import MemoryBus
from sidetone.credentials.tokens import DEFAULT_POLICY, kid_of
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.questions import TokenKeys
from sidetone.runtime.callers import Callers

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
USER, LOGIN = UserId(UUID(int=1)), LoginId(UUID(int=2))


async def ring_of(stage: Stage) -> KeyRing:
    return await KeyRing.open(stage.database, stage.clock, DEFAULT_POLICY)


def signed_by(ring: KeyRing, stage: Stage) -> str:
    token, _ = ring.token_signer.sign(USER, LOGIN, UUID(int=3), stage.clock.now_ms())
    return kid_of(token)


def published(ring: KeyRing) -> set[str]:
    return {key["kid"] for key in msgspec.json.decode(ring.token_key_set)["keys"]}


async def test_a_new_key_is_shown_for_a_day_before_it_signs_and_the_old_one_after(
    stage: Stage,
) -> None:
    ring = await ring_of(stage)
    old = signed_by(ring, stage)
    await ring.rotate()
    [new] = published(ring) - {old}
    assert signed_by(ring, stage) == old
    stage.clock.offset_ms += DAY_MS - 1_000
    assert signed_by(ring, stage) == old
    stage.clock.offset_ms += 1_000
    assert signed_by(ring, stage) == new
    assert published(ring) == {old, new}
    stage.clock.offset_ms += DAY_MS
    assert published(ring) == {new}


async def test_keys_rotate_by_themselves_after_thirty_days(stage: Stage) -> None:
    ring = await ring_of(stage)
    stage.clock.offset_ms += 30 * DAY_MS + HOUR_MS
    before = published(ring)
    await ring.look()
    assert len(published(ring)) == len(before) + 1
    await ring.look()
    assert len(published(ring)) == len(before) + 1


async def test_instances_that_rotate_together_make_one_key(stage: Stage) -> None:
    rings = [await ring_of(stage) for _ in range(3)]
    await asyncio.gather(*(ring.rotate() for ring in rings))
    assert len({ring.token_key_set for ring in rings}) == 1
    assert len(published(rings[0])) == 2


async def test_an_operator_rotates_at_once(stage: Stage) -> None:
    await rotate_keys(stage.database, stage.clock)
    assert len(published(await ring_of(stage))) == 2


async def test_tokens_are_verified_all_the_way_through_a_rotation(stage: Stage) -> None:
    """A verifier of another service, whose keys come over the bus, meets the new key."""
    callers = Callers(stage.around)
    login = await stage.sign_up("Ada")
    assert (await callers.recognise(f"Bearer {login['access_token']}")).scopes == {"api"}
    await rotate_keys(stage.database, stage.clock)
    ring = await ring_of(stage)
    stage.clock.offset_ms += DAY_MS + HOUR_MS
    other = MemoryBus()
    callers = Callers(msgspec.structs.replace(stage.around, bus=other))

    async def token_keys(_: TokenKeys) -> bytes:
        return ring.token_key_set

    await other.answer(TokenKeys, token_keys)
    token, _ = ring.token_signer.sign(USER, LOGIN, UUID(int=3), stage.clock.now_ms())
    assert (await callers.recognise(f"Bearer {token}")).user == USER
    await other.close()


@given(
    st.lists(st.integers(0, 90 * DAY_MS), min_size=0, max_size=8),
    st.lists(st.integers(0, 120 * DAY_MS), min_size=1, max_size=20),
)
def test_whatever_the_schedule_no_verifier_is_surprised(
    gaps: list[int], moments: list[int]
) -> None:
    created = [0]
    for gap in gaps:
        created.append(created[-1] + gap)
    keys = [DatedKey(number + 1, at) for number, at in enumerate(created)]
    for now_ms in moments:
        known = [key for key in keys if key.created_at_ms <= now_ms]
        plan = schedule(known, now_ms)
        assert plan.signing in plan.published
        before = [key for key in known if key.created_at_ms <= now_ms - PUBLISHED_BEFORE_MS]
        if before:
            earlier = schedule(before, now_ms - PUBLISHED_BEFORE_MS)
            assert plan.signing in {*earlier.published, *(k.number for k in before)}
            assert earlier.signing in plan.published or now_ms - KEPT_AFTER_MS < 0
        if plan.due:
            assert now_ms - known[-1].created_at_ms >= ROTATED_AFTER_MS
