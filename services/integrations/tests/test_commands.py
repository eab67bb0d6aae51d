"""What bots can be asked, by whom, and how they answer."""

import asyncio
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from services.integrations.tests.stage import Stage, open_stage, problem
from sidetone.integrations.app import Policy
from sidetone.permissions import Permission
from sidetone.protocol.commands import CommandAnswered, CommandInvoked
from sidetone.protocol.servers import Channel, Overwrite
from sidetone.runtime.limits import Limit

ROLL = {
    "name": "roll",
    "description": "Roll dice",
    "options": [
        {"name": "sides", "description": "How many", "kind": "integer", "required": True},
        {"name": "colour", "description": "Which", "choices": ["red", "blue"]},
        {"name": "for", "description": "Whom", "kind": "user"},
        {"name": "in", "description": "Where", "kind": "channel"},
        {"name": "odds", "description": "How likely", "kind": "number"},
        {"name": "aloud", "description": "For all", "kind": "boolean"},
    ],
}


async def register(stage: Stage, *commands: Any) -> list[dict[str, Any]]:
    body = {"commands": list(commands) or [ROLL]}
    answer = await stage.send(stage.bot, "PUT", "/commands", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def invoke(stage: Stage, **options: Any) -> Any:
    (command,) = await register(stage)
    path = f"/channels/{stage.channel}/commands/{command['id']}"
    return await stage.send(stage.member, "POST", path, {"options": options})


async def asked(stage: Stage) -> str:
    """Ask the bot and return the invocation."""
    answer = await invoke(stage, sides=6)
    assert answer.status_code == 201, answer.text
    event = await stage.told(stage.bot)
    assert isinstance(event, CommandInvoked)
    assert str(event.invocation.id) == answer.json()["id"]
    return answer.json()["id"]


async def answered(stage: Stage, invocation: str, **body: Any) -> Any:
    path = f"/invocations/{invocation}/answer"
    return await stage.send(stage.bot, "POST", path, body)


async def test_the_bot_is_asked_and_everybody_sees_the_answer(stage: Stage) -> None:
    invocation = await asked(stage)
    assert (await answered(stage, invocation, text="a six")).status_code == 204
    (written,) = stage.written
    assert (written.author, written.channel, written.text) == (stage.bot, stage.channel, "a six")
    event = await stage.told(stage.member)
    assert isinstance(event, CommandAnswered)
    assert (event.state, event.text) == ("answered", "")
    assert event.message is not None


async def test_a_private_answer_is_written_nowhere(stage: Stage) -> None:
    invocation = await asked(stage)
    assert (await answered(stage, invocation, text="psst", ephemeral=True)).status_code == 204
    event = await stage.told(stage.member)
    assert (event.state, event.text, event.message) == ("answered", "psst", None)
    assert stage.written == []


async def test_an_answer_can_take_longer_if_the_bot_says_so() -> None:
    async with open_stage("embedded", Policy(answer_seconds=0.3)) as stage:
        invocation = await asked(stage)
        assert (await answered(stage, invocation, deferred=True)).status_code == 204
        assert (await stage.told(stage.member)).state == "deferred"
        stage.clock.offset_ms += 60_000
        await asyncio.sleep(0.4)
        assert (await answered(stage, invocation, text="at last")).status_code == 204
        assert (await stage.told(stage.member)).state == "answered"


async def test_who_asked_a_silent_bot_is_told_so() -> None:
    async with open_stage("embedded", Policy(answer_seconds=0.1)) as stage:
        invocation = await asked(stage)
        assert (await stage.told(stage.member)).state == "late"
        late = await answered(stage, invocation, text="sorry")
        assert problem(late) == (404, "invocation_unknown")
        assert stage.written == []


async def test_an_answer_counts_once(stage: Stage) -> None:
    invocation = await asked(stage)
    assert (await answered(stage, invocation, text="a six")).status_code == 204
    again = await answered(stage, invocation, text="a five")
    assert problem(again) == (404, "invocation_unknown")
    assert len(stage.written) == 1


async def test_nobody_answers_for_a_bot(stage: Stage) -> None:
    invocation = await asked(stage)
    for user in (stage.owner, stage.stranger):
        path = f"/invocations/{invocation}/answer"
        answer = await stage.send(user, "POST", path, {"text": "I am the bot"})
        assert problem(answer) == (404, "invocation_unknown")
    assert stage.written == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "option_missing"),
        ({"sides": "six"}, "option_unusable"),
        ({"sides": True}, "option_unusable"),
        ({"sides": 6.5}, "option_unusable"),
        ({"sides": 2**60}, "option_unusable"),
        ({"sides": 6, "more": 1}, "option_unknown"),
        ({"sides": 6, "colour": "green"}, "option_unusable"),
        ({"sides": 6, "aloud": 1}, "option_unusable"),
        ({"sides": 6, "odds": "half"}, "option_unusable"),
        ({"sides": 6, "for": "Ada"}, "option_unusable"),
        ({"sides": 6, "for": "0198a7c0-0000-7000-8000-000000000001"}, "option_unusable"),
        ({"sides": 6, "in": "HIDDEN"}, "option_unusable"),
    ],
)
async def test_options_are_what_the_command_takes(
    embedded: Stage, options: dict[str, Any], code: str
) -> None:
    given = {k: str(embedded.hidden) if v == "HIDDEN" else v for k, v in options.items()}
    assert problem(await invoke(embedded, **given)) == (422, code)
    assert embedded.signals.empty()


async def test_good_options_reach_the_bot_as_they_are(embedded: Stage) -> None:
    options = {
        "sides": 6,
        "colour": "red",
        "for": str(embedded.owner),
        "in": str(embedded.channel),
        "odds": 0.5,
        "aloud": True,
    }
    assert (await invoke(embedded, **options)).status_code == 201
    assert (await embedded.told(embedded.bot)).invocation.options == options


async def test_strangers_and_the_silenced_ask_nothing(stage: Stage) -> None:
    (command,) = await register(stage)
    path = f"/channels/{stage.channel}/commands/{command['id']}"
    hidden = f"/channels/{stage.hidden}/commands/{command['id']}"
    body = {"options": {"sides": 6}}
    for user, where in ((stage.stranger, path), (stage.member, hidden)):
        answer = await stage.send(user, "POST", where, body)
        assert problem(answer) == (404, "channel_unknown")
    silent = [Overwrite(stage.server, "role", 0, int(Permission.SEND_MESSAGES))]
    await stage.change(
        channels=[Channel(stage.channel, stage.server, "hall", "text", overwrites=silent)]
    )
    answer = await stage.refused(stage.member, path, body)
    assert problem(answer) == (403, "permission_missing")


async def test_a_bot_is_asked_only_where_it_is() -> None:
    async with open_stage("embedded", Policy(commands_per_user=Limit(1_000, 1_000))) as stage:
        (command,) = await register(stage)
        await stage.change(gone=[stage.bot])
        path = f"/channels/{stage.channel}/commands/{command['id']}"
        answer = await stage.refused(stage.member, path, {"options": {"sides": 6}})
        assert problem(answer) == (404, "command_unknown")


async def test_commands_are_listed_for_members_and_replaced_as_a_whole(stage: Stage) -> None:
    first = await register(stage, ROLL, {"name": "stop", "description": "Stop"})
    listed = await stage.send(stage.member, "GET", f"/servers/{stage.server}/commands")
    assert listed.json() == sorted(first, key=lambda each: each["name"])
    (kept,) = await register(stage, ROLL | {"description": "Roll more dice"})
    assert kept["id"] == first[0]["id"]
    stranger = await stage.send(stage.stranger, "GET", f"/servers/{stage.server}/commands")
    assert problem(stranger) == (404, "server_unknown")


@pytest.mark.parametrize(
    "commands",
    [
        [{"name": "Two Words", "description": "x"}],
        [{"name": "x", "description": ""}],
        [{"name": "x", "description": "x"}, {"name": "x", "description": "y"}],
        [{"name": f"x{number}", "description": "x"} for number in range(51)],
        [{"name": "x", "description": "x", "options": [{"name": "a b", "description": "x"}]}],
        [
            {
                "name": "x",
                "description": "x",
                "options": [
                    {"name": "a", "description": "x", "kind": "integer", "choices": ["1"]}
                ],
            }
        ],
    ],
)
async def test_a_command_is_checked(embedded: Stage, commands: Any) -> None:
    answer = await embedded.send(embedded.bot, "PUT", "/commands", {"commands": commands})
    assert problem(answer) == (422, "command_unusable")


async def test_only_bots_have_commands(embedded: Stage) -> None:
    answer = await embedded.send(embedded.member, "PUT", "/commands", {"commands": [ROLL]})
    assert problem(answer) == (403, "not_a_bot")


async def test_asking_has_its_pace() -> None:
    async with open_stage("embedded", Policy(commands_per_user=Limit(2, 60_000))) as stage:
        statuses = [(await invoke(stage, sides=6)).status_code for _ in range(3)]
        assert statuses == [201, 201, 429]


async def test_an_unknown_command_is_no_news(embedded: Stage) -> None:
    path = f"/channels/{embedded.channel}/commands/{uuid7()}"
    answer = await embedded.send(embedded.member, "POST", path, {"options": {}})
    assert problem(answer) == (404, "command_unknown")
