"""The speed of the whole, as a client sees it: ``python -m tests.load.bench_api --json FILE``.

One object per topology: sending at 200/s and at most load, from sending to seen on another
member's socket, fan-out, idle sockets, history out of a million messages, a decision on rights.
The load generator runs on the same machine and is part of what is measured.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from sidetone.chat.application.messages import NewMessage
from sidetone.chat.domain.reading import id_at
from sidetone.chat.infrastructure.message_rows import INSERT_ANYWAY, values_of
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from tests.load import bench_permissions
from tests.load.api_stage import Stage, StageKind, open_stage, register
from tests.load.http_load import Pool, flat_out, open_pool, paced, percentile, request

TEXT = "See you at eight, bring the potions and the map of the northern caves"
SEND_RATE, SEEN_RATE = 200, 100
CONNECTIONS = 64
PAGES = 1_000
FILLED_AT_ONCE = 10_000
# What the issue asks for; those marked least are lower bounds.
TARGETS: dict[str, float] = {
    "send_ms.p50": 2,
    "send_ms.p99": 8,
    "send_per_s": 3_000,
    "seen_ms.p50": 8,
    "seen_ms.p99": 40,
    "fanout_last_ms": 30,
    "fanout_cpu_us": 6,
    "fanout_coalesced_cpu_us": 2,
    "idle_socket_bytes": 8_192,
    "history_ms.p99": 15,
    "permission_us": 3,
}
AT_LEAST = {"send_per_s"}
SEEN_P50_OVER_NATS = 12.0

Figures = dict[str, Any]


class Tavern(msgspec.Struct, frozen=True):
    """A server with two members and a channel to write in."""

    server: ServerId
    channel: ChannelId
    ada: str
    ben: str
    writer: UserId

    def message(self, nonce: str) -> bytes:
        path = f"/chat/channels/{self.channel}/messages"
        return request("POST", path, self.ada, {"text": TEXT, "nonce": nonce})

    def page_before(self, message: MessageId) -> bytes:
        path = f"/chat/channels/{self.channel}/messages?limit=50&before={message}"
        return request("GET", path, self.ben)


async def measure(kind: StageKind, seconds: float, history: int) -> Figures:
    """Return the figures of the running server."""
    async with open_stage(kind) as stage, open_pool(stage.ports["chat"], CONNECTIONS) as pool:
        tavern = await _tavern(stage, pool)
        await paced(pool, lambda n: tavern.message(f"w{n}"), rate=100, seconds=2, status=201)
        figures = {
            **await _sending(stage, pool, tavern, seconds),
            **await _seeing(stage, pool, tavern, seconds),
            **await _reading(stage, pool, tavern, history),
        }
    return {**figures, **bench_permissions.measure()}


async def _tavern(stage: Stage, pool: Pool) -> Tavern:
    writer, ada = await register(stage, "Ada")
    _, ben = await register(stage, "Ben")
    server = await _asked(pool, "POST", "/chat/servers", ada, {"name": "The Tavern"})
    home = f"/chat/servers/{server['id']}"
    invite = await _asked(pool, "POST", f"{home}/invites", ada, {})
    await _asked(pool, "POST", f"/chat/invites/{invite['code']}/accept", ben)
    channels = await _asked(pool, "GET", f"{home}/channels", ada)
    channel = next(one["id"] for one in channels if one["kind"] == "text")
    return Tavern(
        ServerId(UUID(server["id"])), ChannelId(UUID(channel)), ada, ben, UserId(UUID(writer))
    )


async def _asked(pool: Pool, method: str, path: str, token: str, body: object = None) -> Any:
    answer = await pool.send(request(method, path, token, body))
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {answer.body!r}")
    return json.loads(answer.body)


async def _sending(stage: Stage, pool: Pool, tavern: Tavern, seconds: float) -> Figures:
    taken_ms = await paced(
        pool, lambda n: tavern.message(f"p{n}"), rate=SEND_RATE, seconds=seconds, status=201
    )
    cpu, began = stage.cpu_seconds(), time.perf_counter()
    per_s = await flat_out(pool, lambda n: tavern.message(f"f{n}"), seconds=seconds, status=201)
    sent = per_s * (time.perf_counter() - began)
    return {
        "send_ms": _spread(taken_ms),
        "send_per_s": round(per_s),
        "send_cpu_us": round((stage.cpu_seconds() - cpu) / sent * 1e6),
    }


async def _seeing(stage: Stage, pool: Pool, tavern: Tavern, seconds: float) -> Figures:
    """Measure from the moment a message was due to be sent until its event is read."""
    due: dict[str, float] = {}
    seen_ms: list[float] = []
    count = int(SEEN_RATE * seconds)
    async with _listening(stage, tavern.ben) as socket:
        reading = asyncio.create_task(_read(socket, due, seen_ms, count))
        started = time.perf_counter() + 0.1

        def make(number: int) -> bytes:
            due[f"s{number}"] = started + number / SEEN_RATE
            return tavern.message(f"s{number}")

        await asyncio.sleep(started - time.perf_counter())
        await paced(pool, make, rate=SEEN_RATE, seconds=seconds, status=201)
        await asyncio.wait_for(reading, 30)
    return {"seen_ms": _spread(sorted(seen_ms))}


@asynccontextmanager
async def _listening(stage: Stage, token: str) -> AsyncGenerator[ClientConnection]:
    url = f"ws://127.0.0.1:{stage.ports['gateway']}/gateway"
    async with connect(url, compression=None, ping_interval=None, max_size=None) as socket:
        await socket.recv()
        await socket.send(json.dumps({"op": "identify", "token": token}))
        await socket.recv()
        beating = asyncio.create_task(_beat(socket))
        yield socket
        beating.cancel()


async def _beat(socket: ClientConnection) -> None:
    while True:
        await asyncio.sleep(4)
        await socket.send(json.dumps({"op": "heartbeat", "sequence": 0}))


async def _read(
    socket: ClientConnection, due: dict[str, float], seen_ms: list[float], count: int
) -> None:
    while len(seen_ms) < count:
        frame = json.loads(await socket.recv())
        now = time.perf_counter()
        nonce = frame.get("event", {}).get("message", {}).get("nonce")
        if nonce in due:
            seen_ms.append((now - due.pop(nonce)) * 1000)


async def _reading(stage: Stage, pool: Pool, tavern: Tavern, history: int) -> Figures:
    """Fill the channel's past beside the server, and read pages of it at random."""
    ids = await _fill(stage, tavern, history)
    chance = random.Random(1)
    taken_ms: list[float] = []
    for _ in range(PAGES):
        page = tavern.page_before(chance.choice(ids))
        began = time.perf_counter()
        answer = await pool.send(page)
        taken_ms.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"history answered {answer.status}: {answer.body!r}")
    return {"history_ms": _spread(sorted(taken_ms))}


async def _fill(stage: Stage, tavern: Tavern, count: int) -> Sequence[MessageId]:
    start_ms = time.time_ns() // 1_000_000 - 60_000 * (count + 1)
    ids = [MessageId(UUID(int=id_at(start_ms + 60_000 * n).int | n)) for n in range(count)]
    async with stage.open_database() as database:
        for first in range(0, count, FILLED_AT_ONCE):
            rows = [
                values_of(
                    NewMessage(
                        Message(one, tavern.server, tavern.channel, tavern.writer, TEXT),
                        tavern.channel,
                    )
                )
                for one in ids[first : first + FILLED_AT_ONCE]
            ]
            await database.execute_many(INSERT_ANYWAY, rows)
    return ids


def _spread(ordered: Sequence[float]) -> dict[str, float]:
    return {
        "p50": round(percentile(ordered, 50), 2),
        "p99": round(percentile(ordered, 99), 2),
    }


def _of_the_gateway(kind: StageKind) -> Figures:
    """Return what the gateway's own bench measures, in its processes."""
    topology = "embedded" if kind == "embedded" else "distributed"
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "gateway.json"
        program = [sys.executable, "-m", "tests.load.bench_gateway", "--json", str(written)]
        subprocess.run([*program, "--topology", topology], check=True, stdout=subprocess.DEVNULL)
        return json.loads(written.read_text())[kind]


def _flat(figures: Figures) -> Figures:
    flat: Figures = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": inner for part, inner in value.items()}
        else:
            flat[name] = value
    return flat


def show(results: dict[str, Figures]) -> None:
    """Print the figures beside what the issue asks for; a star is a target that was missed."""
    flat = {kind: _flat(figures) for kind, figures in results.items()}
    print(f"{'':28}{'target':>10}" + "".join(f"{kind:>12}" for kind in flat))
    for name in dict.fromkeys(name for figures in flat.values() for name in figures):
        target = TARGETS.get(name)
        cells = "".join(_cell(kind, name, figures.get(name)) for kind, figures in flat.items())
        print(f"{name:28}{'' if target is None else target:>10}{cells}")


def _cell(kind: str, name: str, value: float | None) -> str:
    target = TARGETS.get(name)
    if kind == "engines" and name == "seen_ms.p50":
        target = SEEN_P50_OVER_NATS
    if value is None or target is None:
        return f"{'' if value is None else value:>12}"
    met = value >= target if name in AT_LEAST else value <= target
    return f"{str(value) + ('' if met else ' *'):>12}"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each kind of load")
    parser.add_argument("--history", type=int, default=1_000_000, help="messages to read among")
    parser.add_argument("--topology", choices=["embedded", "engines"], action="append")
    parser.add_argument("--no-gateway", action="store_true", help="leave out fan-out and idle")
    options = parser.parse_args()
    kinds: list[StageKind] = options.topology or ["embedded", "engines"]
    results: dict[str, Figures] = {}
    for kind in kinds:
        results[kind] = await measure(kind, options.seconds, options.history)
        if not options.no_gateway:
            results[kind] |= await asyncio.to_thread(_of_the_gateway, kind)
    show(results)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    uvloop.run(main())
