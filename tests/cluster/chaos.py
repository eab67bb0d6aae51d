"""``./just chaos``: kill what carries a cluster, one thing after another, while people use it.

Every process and every engine dies by SIGKILL, every so many seconds, and is started again as an
operator's supervisor would. In the end every acknowledged message is in the history exactly once,
and listeners have seen each, none twice in one session. Another gateway than that of the session
before may tell some again, as it may be behind: these are counted apart.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.crowd import GAP_SECONDS, Crowd, at_work, gather, history
from tests.cluster.stage import Cluster, Options, open_cluster
from tests.processes import child_at_port, resident_bytes

ENGINE_AWAY_SECONDS = 1.0
# What was acknowledged has reached every listener after this time.
HEARD_SECONDS_MAX = 30.0
VOICE_BACK_SECONDS_MAX = 3.0
PRESENCE_SECONDS_MAX = 15.0
_MIB = 1 << 20


class Memory:
    """How much memory everything takes, looked at while everything runs."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.looks: list[dict[str, tuple[int, float]]] = []

    def look(self) -> None:
        """Take note of each program's process and its size in MiB."""
        running = {**self._cluster.programs, **self._cluster.engines}
        self.looks.append(
            {name: (one.pid, resident_bytes(one.pid) / _MIB) for name, one in running.items()}
        )

    def figures(self) -> dict[str, Any]:
        """Return the sums, and the growth of those that lived longest of all, in MiB."""
        totals = [sum(size for _, size in look.values()) for look in self.looks]
        grown = {name: round(size, 1) for name, size in self._growth()}
        return {
            "first_mib": round(totals[0]),
            "last_mib": round(totals[-1]),
            "max_mib": round(max(totals)),
            "grown_mib": grown,
        }

    def _growth(self) -> Iterator[tuple[str, float]]:
        """Yield what each process that was there from the second look on has grown by since."""
        first, last = self.looks[min(1, len(self.looks) - 1)], self.looks[-1]
        for name, (pid, size) in last.items():
            if first[name][0] == pid:
                yield name, size - first[name][1]


def blows(cluster: Cluster) -> dict[str, Callable[[], None]]:
    """Return how each thing that can die is killed; who watches over it starts it again."""

    def engine(name: str) -> None:
        cluster.engines[name].kill()
        time.sleep(ENGINE_AWAY_SECONDS)
        cluster.engines[name].start()

    def worker(name: str) -> None:
        node = cluster.programs[name]
        os.kill(child_at_port(node.pid, int(node.url.rpartition(":")[2])), signal.SIGKILL)

    made: dict[str, Callable[[], None]] = {}
    for name in cluster.engines:
        made[name] = lambda name=name: engine(name)
    for name, program in cluster.programs.items():
        made[name] = program.kill
        if name.startswith("sfu"):
            made[f"{name} worker"] = lambda name=name: worker(name)
    return made


async def hurt(
    cluster: Cluster, seconds: float, every_seconds: float, seed: int, memory: Memory
) -> list[tuple[float, str]]:
    """Kill one thing after the other, each as often as any; return when and what."""
    kills: list[tuple[float, str]] = []
    ways, order = blows(cluster), random.Random(seed)
    waiting: list[str] = []
    due = time.monotonic()
    ends_at = due + seconds
    while (due := due + every_seconds) <= ends_at:
        await asyncio.sleep(due - time.monotonic())
        memory.look()
        if not waiting:
            waiting = order.sample(sorted(ways), len(ways))
        name = waiting.pop()
        kills.append((time.monotonic(), name))
        print(f"{len(kills):>4}  {name} is killed", flush=True)
        await asyncio.to_thread(ways[name])
    await asyncio.sleep(every_seconds)
    memory.look()
    return kills


async def settle(crowd: Crowd) -> None:
    """Return when all listeners have seen all that was acknowledged, or after long enough."""
    deadline = time.monotonic() + HEARD_SECONDS_MAX
    while time.monotonic() < deadline and any(unheard(crowd).values()):  # noqa: ASYNC110 - polled
        await asyncio.sleep(0.2)


def unheard(crowd: Crowd) -> Counter[str]:
    """Return how much of what was acknowledged each listener has not seen."""
    acknowledged = [one for writer in crowd.writers for one in writer.acknowledged.values()]
    return Counter(
        {
            listener.client.user.name: sum(not listener.knows(one) for one in acknowledged)
            for listener in crowd.listeners
        }
    )


async def figures(crowd: Crowd, kills: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """Return what was lost and doubled, and how long what took."""
    reader = crowd.listeners[0].client
    pages = [page async for page in history(reader, crowd.channel)]
    stored = Counter(one.text for page in pages for one in page)
    ids = {one.id for page in pages for one in page}
    acknowledged = {k: v for writer in crowd.writers for k, v in writer.acknowledged.items()}
    missing = unheard(crowd)
    stored_twice = sum(stored[nonce] > 1 for nonce in acknowledged)
    again = heard_again(crowd, kills)
    return {
        "acknowledged": len(acknowledged),
        "lost": sum(message not in ids for message in acknowledged.values())
        + sum(missing.values()),
        "doubled": stored_twice + again["heard_again_in_a_session"],
        "stored_twice": stored_twice,
        **again,
        "slowest_send_s": round(max(one.slowest_seconds for one in crowd.writers), 2),
        **voice(crowd, kills),
        "presence_right_s": round(crowd.watcher.wrong_seconds, 2),
        "kills": len(kills),
    }


def heard_again(crowd: Crowd, kills: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """Return how often messages were heard once more, and sessions begun anew, and after what."""
    again = [repeat for one in crowd.listeners for repeat in one.repeats]
    begun_anew = [at for one in crowd.listeners for at in one.sessions_at[1:]]
    return {
        "heard_again_in_a_session": sum(one.in_one_session for one in again),
        "heard_again_in_the_next": sum(not one.in_one_session for one in again),
        "heard_again_after": dict(Counter(last_kill(kills, one.at) for one in again)),
        "heard_again_late_s": round(max((one.late_seconds for one in again), default=0.0), 2),
        "sessions_begun_anew": len(begun_anew),
        "sessions_begun_anew_after": dict(Counter(last_kill(kills, at) for at in begun_anew)),
    }


def last_kill(kills: Sequence[tuple[float, str]], at: float) -> str:
    """Return what was killed last before *at*."""
    before = [name for killed_at, name in kills if killed_at <= at]
    return before[-1] if before else "nothing"


def voice(crowd: Crowd, kills: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """Return how long voices were away, and after what."""
    gaps = [gap for talker in crowd.talkers for gap in talker.gaps]
    lengths = [end - begin for begin, end in gaps]
    after = Counter[str]()
    for begin, end in gaps:
        name = last_kill(kills, begin + GAP_SECONDS)
        after[name] = max(round(end - begin, 2), after[name])
    return {
        "voice_back_s": {
            "p50": round(statistics.median(lengths), 2) if lengths else 0.0,
            "max": round(max(lengths, default=0.0), 2),
        },
        "voice_gaps": len(gaps),
        "voice_gaps_after_s": dict(after),
        "voice_ended": sum(talker.call.state == "ended" for talker in crowd.talkers),
    }


def faults(report: dict[str, Any]) -> list[str]:
    """Return what of *report* must not be."""
    wrong = [name for name in ("lost", "doubled", "voice_ended") if report[name]]
    if report["voice_back_s"]["max"] > VOICE_BACK_SECONDS_MAX:
        wrong.append("voice_back_s")
    if report["presence_right_s"] > PRESENCE_SECONDS_MAX:
        wrong.append("presence_right_s")
    return wrong


async def chaos(
    seconds: float, every_seconds: float, seed: int, logs: Path | None, *, cql: bool
) -> dict[str, Any]:
    """Return what people noticed of it."""
    with (
        open_cluster(Options(durable=True, cql=cql)) as cluster,
        _kept(cluster.folder, logs),
        tempfile.TemporaryDirectory(prefix="sidetone-chaos-") as folder,
    ):
        memory = Memory(cluster)
        print(f"the cluster is up: {len(cluster.programs)} programs", flush=True)
        async with gather(cluster.url, Path(folder)) as crowd:
            print("everybody is there", flush=True)
            async with at_work(crowd) as end:
                kills = await hurt(cluster, seconds, every_seconds, seed, memory)
                await end()
                await settle(crowd)
            report = await figures(crowd, kills)
        return {**report, "rss": memory.figures(), "seed": seed, "seconds": seconds}


@contextmanager
def _kept(folder: Path, logs: Path | None) -> Generator[None]:
    """Copy what the programs said in *folder* to *logs* in the end."""
    try:
        yield
    finally:
        if logs is not None:
            shutil.copytree(
                folder, logs, dirs_exist_ok=True, ignore=lambda _, names: _but_logs(names)
            )


def _but_logs(names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".log")]


def main() -> None:
    """Run it, print the report, and fail where something must not be."""
    parser = argparse.ArgumentParser(prog="./just chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what programs said")
    parser.add_argument("--cql", action="store_true", help="keep messages in a Cassandra")
    asked = parser.parse_args()
    seed = random.randrange(1 << 16) if asked.seed is None else asked.seed
    report = asyncio.run(chaos(asked.minutes * 60, asked.every, seed, asked.logs, cql=asked.cql))
    text = json.dumps(report, indent=2)
    print(text)
    if asked.json is not None:
        asked.json.write_text(text + "\n")
    wrong = faults(report)
    if wrong:
        sys.exit(f"not as it must be: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
