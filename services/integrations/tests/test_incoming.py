"""What programs write by a secret path."""

import pytest
from uuid_utils.compat import uuid7

from services.integrations.tests.stage import Stage, open_stage, problem
from sidetone.integrations.app import Policy
from sidetone.runtime.limits import Limit


async def path_of(stage: Stage, **more: object) -> str:
    """Make an incoming webhook and return its path, without what all paths begin with."""
    path = f"/channels/{stage.channel}/incoming"
    answer = await stage.send(stage.owner, "POST", path, {"name": "Build", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["path"].removeprefix("/integrations")


async def test_who_has_the_path_writes_with_a_name_and_a_picture(stage: Stage) -> None:
    avatar = str(uuid7())
    path = await path_of(stage, avatar=avatar)
    answer = await stage.send(None, "POST", path, {"text": "passed", "nonce": "n1"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["persona"] == {"name": "Build", "avatar": avatar}
    await stage.send(None, "POST", path, {"text": "failed", "name": "Night build"})
    first, second = stage.written
    assert (first.channel, first.text, first.nonce) == (stage.channel, "passed", "n1")
    assert first.author not in {stage.owner, stage.member}
    assert second.persona is not None
    assert second.persona.name == "Night build"
    assert [str(file) for file in stage.claimed] == [avatar]


@pytest.mark.parametrize("change", ["secret", "id"])
async def test_without_the_right_path_there_is_nothing(embedded: Stage, change: str) -> None:
    _, _, webhook, secret = (await path_of(embedded)).split("/")
    path = {
        "secret": f"/incoming/{webhook}/{secret[:-1]}x",
        "id": f"/incoming/{uuid7()}/{secret}",
    }[change]
    answer = await embedded.send(None, "POST", path, {"text": "let me in"})
    assert problem(answer) == (404, "webhook_unknown")
    assert embedded.written == []


async def test_the_secret_is_told_once_and_kept_nowhere(stage: Stage) -> None:
    secret = (await path_of(stage)).split("/")[-1]
    listed = await stage.send(stage.owner, "GET", f"/servers/{stage.server}/incoming")
    assert listed.status_code == 200
    assert secret not in listed.text
    rows = await stage.around.database.fetch("SELECT * FROM incoming_webhooks", {})
    assert secret not in str(rows)


async def test_a_removed_path_is_closed(stage: Stage) -> None:
    path = await path_of(stage, avatar=str(uuid7()))
    own = path.rpartition("/")[0]
    assert (await stage.send(stage.owner, "DELETE", own)).status_code == 204
    answer = await stage.send(None, "POST", path, {"text": "hello"})
    assert problem(answer) == (404, "webhook_unknown")
    assert stage.dropped == stage.claimed


async def test_who_may_not_manage_webhooks_makes_none(stage: Stage) -> None:
    path = f"/channels/{stage.channel}/incoming"
    own = (await path_of(stage)).rpartition("/")[0]
    for user, made, removed in (
        (stage.member, (403, "permission_missing"), (403, "permission_missing")),
        (stage.stranger, (404, "channel_unknown"), (404, "webhook_unknown")),
    ):
        assert problem(await stage.send(user, "POST", path, {"name": "x"})) == made
        assert problem(await stage.send(user, "DELETE", own)) == removed


async def test_nobody_writes_in_a_category(embedded: Stage) -> None:
    path = f"/channels/{embedded.category}/incoming"
    answer = await embedded.send(embedded.owner, "POST", path, {"name": "x"})
    assert problem(answer) == (409, "channel_holds_no_messages")


async def test_a_path_has_its_pace() -> None:
    policy = Policy(posts_per_webhook=Limit(2, 60_000))
    async with open_stage("embedded", policy) as stage:
        path, other = await path_of(stage), await path_of(stage)
        statuses = [
            (await stage.send(None, "POST", where, {"text": "again"})).status_code
            for where in (path, path, path, other)
        ]
        assert statuses == [201, 201, 429, 201]


async def test_a_name_is_checked(embedded: Stage) -> None:
    path = await path_of(embedded)
    answer = await embedded.send(None, "POST", path, {"text": "x", "name": " \n "})
    assert problem(answer) == (422, "name_unusable")


async def test_who_lets_programs_write_and_stops_them_is_noted(stage: Stage) -> None:
    path = await path_of(stage)
    await stage.send(stage.owner, "DELETE", path.rpartition("/")[0])
    assert [(each.action, each.after["name"]) for each in stage.noted] == [
        ("incoming_webhook.create", "Build"),
        ("incoming_webhook.delete", "Build"),
    ]
    assert path.rpartition("/")[2] not in str(stage.noted)


async def test_there_are_not_too_many(stage: Stage) -> None:
    for _ in range(15):
        await path_of(stage)
    wish = {"name": "one more", "avatar": str(uuid7())}
    answer = await stage.send(stage.owner, "POST", f"/channels/{stage.channel}/incoming", wish)
    assert problem(answer) == (409, "webhooks_too_many")
    # What was refused is no deed, and takes no picture.
    assert len(stage.noted) == 15
    assert stage.claimed == []
