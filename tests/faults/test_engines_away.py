"""An engine is killed under load and comes back: nothing acknowledged is lost, nothing doubled.

Auth, chat and the gateway run as processes of their own. Ada sends, and repeats under the same
nonce what was refused or cut off, as a client does; Ben listens. ``SIDETONE_FAULT_SENDS`` is how
many messages each engine's turn has.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from sidetone.client.gateway_link import GatewayLink, Happening
from sidetone.client.pinned import Endpoint
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.events import MessageSent
from sidetone.protocol.ids import UserId
from tests.load.api_stage import Stage, open_stage, register

SENDS = int(os.environ.get("SIDETONE_FAULT_SENDS", "400"))
SENDERS = 8
AWAY_SECONDS = 1.0
BACK_SECONDS_MAX = 5.0
PATIENCE_SECONDS = 60.0

pytestmark = pytest.mark.timeout(300)


class Client:
    """One person's requests, with the patience of a client."""

    def __init__(self, stage: Stage, http: httpx.AsyncClient, user: str, token: str) -> None:
        self._url = f"http://127.0.0.1:{stage.ports['chat']}"
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}
        self.login = LoggedIn(UserId(UUID(user)), "", token, "", 2**53)
        self.refused: Counter[int] = Counter()
        self.acknowledged_at: list[float] = []

    async def fresh_login(self, **_: object) -> LoggedIn:
        return self.login

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        answer = await self._http.request(
            method, self._url + path, json=body, headers=self._headers
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def send_until_stored(self, channel: str, nonce: str) -> str:
        """Send a message, again and again until it is acknowledged; return its id."""
        path = f"{self._url}/chat/channels/{channel}/messages"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = await self._http.post(
                    path, json={"text": nonce, "nonce": nonce}, headers=self._headers
                )
            except httpx.TransportError:
                self.refused[0] += 1
                continue
            if answer.status_code in {200, 201}:
                self.acknowledged_at.append(time.monotonic())
                return answer.json()["id"]
            self.refused[answer.status_code] += 1
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            # A client waits a second; here the moment of coming back is of interest.
            await asyncio.sleep(0.05)
        raise AssertionError(f"{nonce} was never acknowledged: {self.refused}")

    async def history(self, channel: str) -> list[str]:
        """Return the ids of all messages that people wrote, newest first."""
        ids: list[str] = []
        path = f"/chat/channels/{channel}/messages?limit=100"
        page = await self.ask("GET", path)
        while page["items"]:
            ids += [one["id"] for one in page["items"] if one.get("kind", "text") == "text"]
            page = await self.ask("GET", f"{path}&before={page['items'][-1]['id']}")
        return ids


async def tavern(ada: Client, ben: Client) -> str:
    server = await ada.ask("POST", "/chat/servers", {"name": "The Tavern"})
    home = f"/chat/servers/{server['id']}"
    invite = await ada.ask("POST", f"{home}/invites", {})
    await ben.ask("POST", f"/chat/invites/{invite['code']}/accept")
    channels = await ada.ask("GET", f"{home}/channels")
    return next(one["id"] for one in channels if one["kind"] == "text")


async def hear(happenings: AsyncIterator[Happening], heard: Counter[str]) -> None:
    async for happening in happenings:
        if isinstance(happening, MessageSent):
            heard[str(happening.message.id)] += 1


@pytest.mark.parametrize("engine", ["PostgreSQL", "NATS", "Valkey"])
async def test_an_engine_that_is_killed_costs_no_message(engine: str) -> None:
    async with open_stage("engines") as stage, httpx.AsyncClient(timeout=10) as http:
        ada = Client(stage, http, *await register(stage, "Ada"))
        ben = Client(stage, http, *await register(stage, "Ben"))
        channel = await tavern(ada, ben)
        heard: Counter[str] = Counter()
        link = GatewayLink(Endpoint(f"http://127.0.0.1:{stage.ports['gateway']}"), ben)
        async with link.listening() as happenings:
            await anext(aiter(happenings))
            listening = asyncio.create_task(hear(happenings, heard))
            numbers = iter(range(SENDS))
            stored: list[str] = []

            async def keep_sending() -> None:
                for number in numbers:
                    message = await ada.send_until_stored(channel, f"n{number}")
                    stored.append(message)

            async def fail() -> float:
                while len(stored) < SENDS // 3:  # noqa: ASYNC110 - they are counted elsewhere
                    await asyncio.sleep(0.005)
                stage.running[engine].kill()
                await asyncio.sleep(AWAY_SECONDS)
                await asyncio.to_thread(stage.running[engine].start)
                return time.monotonic()

            *_, back_at = await asyncio.gather(*(keep_sending() for _ in range(SENDERS)), fail())
            first_after = min((at for at in ada.acknowledged_at if at >= back_at), default=back_at)
            assert first_after - back_at < BACK_SECONDS_MAX
            await everything_is_heard(set(stored), heard)
            listening.cancel()
        assert len(stored) == len(set(stored)) == SENDS
        assert sorted(await ada.history(channel)) == sorted(stored)
        assert {message: count for message, count in heard.items() if count > 1} == {}
        print(json.dumps({"engine": engine, "refused": ada.refused}))  # noqa: T201


async def everything_is_heard(stored: set[str], heard: Counter[str]) -> None:
    """Wait until the subscriber was told of all that is stored."""
    deadline = time.monotonic() + 30
    while not stored <= heard.keys():
        missing = len(stored - heard.keys())
        assert time.monotonic() < deadline, f"{missing} of {len(stored)} were never heard"
        await asyncio.sleep(0.02)
