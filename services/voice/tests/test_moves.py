"""Moderators who move members and take them out of calls."""

import asyncio

from services.voice.tests.stage import Stage, without_connect
from sidetone.protocol.events import MemberPutOut, MoveRequested, ToUsers


async def test_a_member_is_asked_to_move_and_put_out_if_they_stay(stage: Stage) -> None:
    await stage.inside(stage.lounge, stage.ben)
    await stage.state()
    path = f"/channels/{stage.lounge}/members/{stage.ben}/move"
    moved = await stage.send(stage.ada, "POST", path, {"target": str(stage.hall)})
    assert moved.status_code == 204
    signal = await asyncio.wait_for(stage.signals.get(), 20)
    assert signal.audience == ToUsers([stage.ben])
    assert signal.event == MoveRequested(stage.lounge, stage.hall, stage.ada)
    out = await asyncio.wait_for(stage.put_out.get(), 20)
    assert out == MemberPutOut(stage.lounge, stage.ben)


async def test_who_follows_is_left_alone(stage: Stage) -> None:
    await stage.inside(stage.lounge, stage.ben)
    await stage.state()
    path = f"/channels/{stage.lounge}/members/{stage.ben}/move"
    await stage.send(stage.ada, "POST", path, {"target": str(stage.hall)})
    await stage.inside(stage.lounge)
    await stage.inside(stage.hall, stage.ben)
    await asyncio.sleep(1)
    assert stage.put_out.empty()


async def test_who_is_disconnected_is_put_out_at_once(stage: Stage) -> None:
    await stage.inside(stage.lounge, stage.ben)
    await stage.state()
    path = f"/channels/{stage.lounge}/members/{stage.ben}"
    assert (await stage.send(stage.ada, "DELETE", path)).status_code == 204
    assert (await asyncio.wait_for(stage.put_out.get(), 20)).user == stage.ben
    # The bus may have lost it: it is said once more, and not again to who is gone.
    assert (await asyncio.wait_for(stage.put_out.get(), 20)).user == stage.ben


async def test_moving_takes_rights_in_both_channels_and_of_the_member(stage: Stage) -> None:
    path = f"/channels/{stage.lounge}/members/{stage.ben}"
    body = {"target": str(stage.hall)}
    assert (await stage.send(stage.ada, "POST", f"{path}/move", body)).status_code == 404
    await stage.inside(stage.lounge, stage.ben)
    await stage.state()
    assert (await stage.send(stage.eve, "POST", f"{path}/move", body)).status_code == 403
    assert (await stage.send(stage.eve, "DELETE", path)).status_code == 403
    elsewhere = {"target": str(stage.talk)}
    other = await stage.send(stage.ada, "POST", f"{path}/move", elsewhere)
    assert (other.status_code, other.json()["code"]) == (422, "other_server")
    without_connect(stage.communities[stage.server])
    refused = await stage.send(stage.ada, "POST", f"{path}/move", body)
    assert refused.json()["code"] == "target_not_allowed"
    assert stage.signals.empty()
