"""Devices and grants."""

import asyncio
import base64
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.auth.tests.stage import CHANNEL, HIDDEN, Stage, body_of
from sidetone.auth.infrastructure.sql_keys import KeyRing
from sidetone.credentials.tokens import DEFAULT_POLICY
from sidetone.e2ee.grant import verify_grant
from sidetone.e2ee.identity import DeviceIdentity
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, DeviceId, UserId
from sidetone.protocol.questions import IssueGrant
from sidetone.protocol.refusals import NotFound


async def ask_grant(
    stage: Stage, login: dict[str, Any], device: bytes, channel: ChannelId = CHANNEL
) -> Any:
    return await stage.post(
        "/auth/grants",
        login["access_token"],
        channel=str(channel),
        device=str(UUID(bytes=device)),
    )


async def signed_up_with_device(stage: Stage, name: str) -> tuple[dict[str, Any], DeviceIdentity]:
    login = await stage.sign_up(name)
    identity = stage.identity(login)
    assert (await stage.put_device(login, identity)).status_code == 204
    return login, identity


async def test_a_grant_verifies_with_the_published_keys(stage: Stage) -> None:
    login, identity = await signed_up_with_device(stage, "Ada")
    answer = await ask_grant(stage, login, identity.device)
    assert answer.status_code == 200
    keys = (await stage.get("/auth/grant-keys")).json()["keys"]
    grant = verify_grant(
        base64.b64decode(answer.json()["wire"]), [base64.b64decode(key) for key in keys]
    )
    assert grant.user == UUID(login["user"]).bytes
    assert (grant.channel, grant.device) == (CHANNEL.bytes, identity.device)
    assert (grant.uik, grant.dk) == (identity.uik, identity.dk)
    assert grant.not_after_ms == answer.json()["not_after_ms"]
    two_hours_ms = 2 * 3_600_000
    assert abs(grant.not_after_ms - stage.clock.now_ms() - two_hours_ms) < 60_000


async def test_a_service_gets_a_grant_with_the_keys_over_the_bus(stage: Stage) -> None:
    login, identity = await signed_up_with_device(stage, "Ada")
    user, device = UserId(UUID(login["user"])), DeviceId(UUID(bytes=identity.device))
    issued = await stage.bus.ask(IssueGrant(user, device, CHANNEL))
    assert verify_grant(issued.grant.wire, issued.keys).dk == identity.dk
    with pytest.raises(NotFound, match="device_unknown"):
        await stage.bus.ask(IssueGrant(UserId(UUID(int=1)), device, CHANNEL))


async def test_registering_a_device_again_changes_nothing(stage: Stage) -> None:
    login, identity = await signed_up_with_device(stage, "Ada")
    assert (await stage.put_device(login, identity)).status_code == 204
    assert (await ask_grant(stage, login, identity.device)).status_code == 200


async def test_a_device_of_another_user_is_refused_and_not_changed(stage: Stage) -> None:
    ada, identity = await signed_up_with_device(stage, "Ada")
    eve = await stage.sign_up("Eve")
    theirs = stage.identity(eve)
    forged = DeviceIdentity(
        UUID(eve["user"]).bytes,
        identity.device,
        theirs.user_seed,
        theirs.device_seed,
        theirs.created_ms,
    )
    answer = await stage.put_device(eve, forged)
    assert (answer.status_code, answer.json()["code"]) == (409, "device_taken")
    answer = await ask_grant(stage, eve, identity.device)
    assert (answer.status_code, answer.json()["code"]) == (404, "device_unknown")
    assert (await ask_grant(stage, ada, identity.device)).status_code == 200


@pytest.mark.parametrize(
    ("user_seed", "device_seed"), [(True, False), (False, True), (True, True)]
)
async def test_a_device_never_changes_its_keys(
    stage: Stage, user_seed: bool, device_seed: bool
) -> None:
    login, identity = await signed_up_with_device(stage, "Ada")
    other = stage.identity(login)
    changed = DeviceIdentity(
        identity.user,
        identity.device,
        other.user_seed if user_seed else identity.user_seed,
        other.device_seed if device_seed else identity.device_seed,
        identity.created_ms,
    )
    answer = await stage.put_device(login, changed)
    assert (answer.status_code, answer.json()["code"]) == (409, "device_taken")


async def test_the_same_keys_under_another_account_do_not_move_a_device(stage: Stage) -> None:
    ada, identity = await signed_up_with_device(stage, "Ada")
    second = await stage.sign_up("Ada2")
    moved = DeviceIdentity(
        UUID(second["user"]).bytes,
        identity.device,
        identity.user_seed,
        identity.device_seed,
        identity.created_ms,
    )
    assert (await stage.put_device(second, moved)).status_code == 409
    assert (await ask_grant(stage, ada, identity.device)).status_code == 200


async def refusal_of_changed(stage: Stage, login: dict[str, Any], **changes: object) -> Any:
    identity = stage.identity(login)
    body = msgspec.structs.replace(body_of(identity), **changes)
    answer = await stage.put_device_body(login, UUID(bytes=identity.device), body)
    return answer.status_code, answer.json()["code"]


async def test_a_certificate_that_does_not_hold_is_refused(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    identity = stage.identity(login)
    body = body_of(identity)
    for field in ("identity_key", "device_key", "certificate", "created_at_ms"):
        value = getattr(body, field)
        spoiled = value - 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
        changed = msgspec.structs.replace(body, **{field: spoiled})
        answer = await stage.put_device_body(login, UUID(bytes=identity.device), changed)
        refusal = (answer.status_code, answer.json()["code"])
        assert refusal == (422, "device_certificate_invalid"), field


async def test_a_key_of_the_wrong_size_is_refused(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    for field in ("identity_key", "device_key", "certificate"):
        for value in (b"", b"1", bytes(31), bytes(1000)):
            refusal = await refusal_of_changed(stage, login, **{field: value})
            assert refusal == (422, "device_certificate_invalid"), (field, value)


async def test_a_device_from_the_future_is_refused(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    for created_at_ms in (-1, 2**63, 2**64, 10**15):
        refusal = await refusal_of_changed(stage, login, created_at_ms=created_at_ms)
        assert refusal == (422, "device_date_invalid"), created_at_ms


async def test_a_certificate_for_another_user_is_refused(stage: Stage) -> None:
    ada = await stage.sign_up("Ada")
    eve = await stage.sign_up("Eve")
    answer = await stage.put_device(eve, stage.identity(ada))
    assert (answer.status_code, answer.json()["code"]) == (422, "device_certificate_invalid")


async def test_without_the_permission_to_connect_there_is_no_grant(stage: Stage) -> None:
    login, identity = await signed_up_with_device(stage, "Ada")
    stage.permissions = Permission.VIEW_CHANNEL | Permission.SPEAK
    answer = await ask_grant(stage, login, identity.device)
    assert (answer.status_code, answer.json()["code"]) == (403, "connect_denied")


async def test_a_hidden_channel_is_unknown(stage: Stage) -> None:
    login, identity = await signed_up_with_device(stage, "Ada")
    answer = await ask_grant(stage, login, identity.device, HIDDEN)
    assert (answer.status_code, answer.json()["code"]) == (404, "channel_unknown")


async def test_devices_grants_and_users_are_for_the_signed_in(stage: Stage) -> None:
    login, identity = await signed_up_with_device(stage, "Ada")
    stranger = {"access_token": ""}
    assert (await ask_grant(stage, stranger, identity.device)).status_code == 401
    assert (await stage.put_device(stranger, identity)).status_code == 401
    assert (await stage.get(f"/auth/users/{login['user']}")).status_code == 401


async def test_an_unknown_user_is_not_found(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    answer = await stage.get(f"/auth/users/{UUID(int=9)}", login["access_token"])
    assert (answer.status_code, answer.json()["code"]) == (404, "user_unknown")


async def test_services_that_start_together_agree_on_the_keys(stage: Stage) -> None:
    await stage.database.execute("DELETE FROM auth_keys", {})
    started = await asyncio.gather(
        *(KeyRing.open(stage.database, stage.clock, DEFAULT_POLICY) for _ in range(3))
    )
    assert len({keys.token_key_set for keys in started}) == 1
    assert len({keys.grant_seed for keys in started}) == 1
