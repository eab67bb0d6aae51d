"""What moderators decide about a member's sound reaches tickets and units."""

import asyncio
from base64 import b64decode

from services.voice.tests.stage import Stage, device_of, node
from sidetone.credentials.tickets import Perm, verify
from sidetone.permissions import Permission
from sidetone.protocol.events import LoginEnded, MemberPutOut, RightsChanged
from sidetone.protocol.ids import LoginId, NodeId
from sidetone.protocol.questions import BriefNode


async def perms_of_ticket(stage: Stage) -> Perm:
    await stage.around.bus.publish(node(1))
    body = {"device": str(device_of(stage.ben))}
    async with asyncio.timeout(20):
        while True:
            path = f"/channels/{stage.lounge}/join"
            answer = await stage.send(stage.ben, "POST", path, body)
            if answer.status_code == 200:
                break
            assert answer.json()["code"] == "no_voice_node"
            await asyncio.sleep(0.05)
    keys = (await stage.around.bus.ask(BriefNode(NodeId(1)))).ticket_keys
    return verify(b64decode(answer.json()["ticket"]), keys).perms


async def test_who_is_muted_and_deafened_gets_such_a_ticket(stage: Stage) -> None:
    assert await perms_of_ticket(stage) == Perm.CONNECT | Perm.SPEAK | Perm.VIDEO
    await stage.decide(stage.ben, muted=True, deafened=True)
    assert await perms_of_ticket(stage) == Perm.CONNECT | Perm.VIDEO | Perm.DEAFENED


async def test_units_are_told_of_who_is_deafened_in_every_voice_channel(stage: Stage) -> None:
    talk = Perm.CONNECT | Perm.SPEAK | Perm.VIDEO
    assert await perms_of_ticket(stage) == talk
    change = await stage.decide(stage.ben, muted=False, deafened=True)
    told = [await stage.right() for _ in range(2)]
    assert {one.channel for one in told} == {stage.lounge, stage.hall}
    assert {(one.user, one.perms, one.generation) for one in told} == {
        (stage.ben, int(talk | Perm.DEAFENED), change.generation)
    }
    briefing = await stage.around.bus.ask(BriefNode(NodeId(1)))
    assert {(one.channel, one.user) for one in briefing.watermarks} == {
        (stage.lounge, stage.ben),
        (stage.hall, stage.ben),
    }
    await stage.decide(stage.ben, muted=False, deafened=False)
    told = [await stage.right() for _ in range(2)]
    assert {one.perms for one in told} == {int(talk)}


async def test_changed_rights_do_not_give_the_deafened_their_ears_back(stage: Stage) -> None:
    await stage.decide(stage.ben, muted=False, deafened=True)
    for _ in range(2):
        await stage.right()
    bits = int(Permission.CONNECT)
    await stage.record(RightsChanged(stage.lounge, 9, {stage.ben: bits, stage.eve: bits}))
    told = [await stage.right() for _ in range(2)]
    assert {(one.user, one.perms) for one in told} == {
        (stage.ben, int(Perm.CONNECT | Perm.DEAFENED)),
        (stage.eve, int(Perm.CONNECT)),
    }


async def test_a_login_that_ended_takes_its_devices_out_of_their_calls(stage: Stage) -> None:
    await perms_of_ticket(stage)
    await stage.record(LoginEnded(stage.eve, LoginId(stage.eve)))
    await stage.record(LoginEnded(stage.ben, LoginId(stage.ben)))
    out = await asyncio.wait_for(stage.put_out.get(), 20)
    assert out == MemberPutOut(stage.lounge, stage.ben, device_of(stage.ben))
