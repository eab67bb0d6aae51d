"""What forwarding costs beside Mumble's server and a bare loop in C: `./just bench sfu`.

CPU of the server's process, in us for each frame that a listener gets; all contenders in turn, in
each repeat, because the machine is never the same twice: ratios are medians of the repeats'. A
case is rooms x members x speakers. The clients are real and in this process; servers are not.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.load import raw_loop
from tests.load.mumble import find_server
from tests.load.sfu_contenders import (
    Case,
    Contender,
    Figures,
    MumbleContender,
    RawContender,
    SfuContender,
    compile_kernels,
    join_cost,
    median_of,
    ratio_of,
)
from tests.load.sfu_disturbances import churn, video

CASES = "1x200x4,20x10x2,1x50x2,1x10x1"
BIG = Case(1, 1000, 10)
BIG_SECONDS = 60.0
PLAIN_REPEATS = 1
# What the cases may cost at most, beside Mumble and beside the loop.
RATIOS_MAX = {
    "1x200x4": (0.7, 1.1),
    "20x10x2": (0.75, 1.3),
    "1x50x2": (0.75, 1.3),
    "1x10x1": (0.8, 1.3),
}
DELIVERED_MIN = 0.9999
LATENCY_P99_MS_MAX = 2.0
MEMBER_KIB_MAX = 60.0
JOIN_MS_MAX = 3.0


async def measure(case: Case, options: argparse.Namespace, folder: Path) -> Figures:
    """Run one case and return its figures."""
    async with AsyncExitStack() as stack:
        contenders: dict[str, Contender] = {}
        # First, because it takes long, and members of the unit who say nothing are let go.
        if (binary := find_server()) is not None:
            contenders["mumble"] = await stack.enter_async_context(
                MumbleContender.open(case, binary)
            )
        if (loop := raw_loop.build(folder)) is not None:
            contenders["raw"] = RawContender(case, loop)
        ours = await stack.enter_async_context(SfuContender.open(case))
        runs = await _in_turn({"ours": ours, **contenders}, options.repeats, options.seconds)
        more: Figures = {}
        if options.churn:
            more["churn"] = await churn(ours, options.seconds)
        if options.video:
            more["video"] = await video(ours, options.seconds)
        figures = _summed_up(str(case), ours, runs) | more
        if options.plain:
            plain = await stack.enter_async_context(SfuContender.open(case, fastpath="off"))
            slow = await _in_turn({"plain": plain}, PLAIN_REPEATS, options.seconds)
            figures |= _plain(slow["plain"])
            figures["runs"] |= slow
    return figures


async def _in_turn(
    contenders: dict[str, Contender], repeats: int, seconds: float
) -> dict[str, list[Figures]]:
    """Let each contender have its turn, again and again; nobody's connections may idle away."""
    runs: dict[str, list[Figures]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, contender in contenders.items():
            for each in contenders.values():
                await each.rest()
            runs[name].append(await contender.run(seconds))
    return runs


def _summed_up(case: str, ours: SfuContender, runs: dict[str, list[Figures]]) -> Figures:
    """Return the object of one case, as it is written to JSON."""
    mine = runs["ours"]
    return {
        "case": case,
        **{f"{name}_us": median_of(runs.get(name), "us") for name in _NAMES},
        "ours_per_mumble": ratio_of(mine, runs.get("mumble"), "us"),
        "ours_per_raw": ratio_of(mine, runs.get("raw"), "us"),
        "delivered_ratio": sum(run["delivered"] for run in mine) / sum(run["due"] for run in mine),
        "latency_ms": {key: median_of(mine, key) for key in ("p50", "p99")},
        "rss_kib_per_member": ours.member_kib,
        "join_ms": ours.join_ms,
        "packets_per_frame": median_of(mine, "packets_per_frame"),
        "late_ms": median_of(mine, "late_ms"),
        "mumble": {
            "delivered_ratio": median_of(runs.get("mumble"), "delivered_ratio"),
            "latency_ms": {key: median_of(runs.get("mumble"), key) for key in ("p50", "p99")},
            "unopened": median_of(runs.get("mumble"), "unopened"),
        },
        **_plain(None),
        "runs": runs,
    }


def _plain(runs: list[Figures] | None) -> Figures:
    return {
        "plain_us": median_of(runs, "us"),
        "plain": {"delivered_ratio": median_of(runs, "delivered_ratio")},
    }


_NAMES = ("ours", "mumble", "raw")


async def measure_big() -> Figures:
    """Let a thousand members of one room hear ten of them."""
    async with SfuContender.open(BIG) as ours:
        await ours.rest()
        run = await ours.run(BIG_SECONDS)
        return _summed_up(str(BIG), ours, {"ours": [run]})


# --- the table ---


def table(cases: Sequence[Figures]) -> str:
    """Return what was found, a line for each case."""
    head = (
        f"{'case':10}{'ours':>7}{'plain':>8}{'mumble':>8}{'raw':>7}{'/mumble':>14}{'/raw':>14}"
        f"{'delivered':>11}{'p50 ms':>8}{'p99 ms':>8}{'KiB':>7}{'join ms':>9}{'packets':>9}"
    )
    return "\n".join([head, *map(_line, cases)])


def _line(figures: Figures) -> str:
    mumble_max, raw_max = RATIOS_MAX.get(figures["case"], (None, None))
    costs = f"{_us(figures, 'ours'):>7}{_us(figures, 'plain'):>8}"
    costs += f"{_us(figures, 'mumble'):>8}{_us(figures, 'raw'):>7}"
    ratios = _ratio(figures["ours_per_mumble"], mumble_max) + _ratio(
        figures["ours_per_raw"], raw_max
    )
    latency = figures["latency_ms"]
    return (
        f"{figures['case']:10}{costs}{ratios}{figures['delivered_ratio']:>11.4%}"
        f"{latency['p50']:>8.2f}{latency['p99']:>8.2f}{figures['rss_kib_per_member']:>7.1f}"
        f"{figures['join_ms']:>9.2f}{figures['packets_per_frame']:>9.3f}"
    )


def _us(figures: Figures, name: str) -> str:
    value = figures[f"{name}_us"]
    return "-" if value is None else f"{value:.2f}"


def _ratio(value: float | None, most: float | None) -> str:
    if value is None:
        return f"{'-':>14}"
    return f"{f'{value:.2f}' if most is None else f'{value:.2f} (<={most})':>14}"


def faults(found: Figures) -> list[str]:
    """Return what is not as good as it has to be."""
    said: list[str] = []

    def check(what: str, value: float | None, most: float) -> None:
        if value is not None and value > most:
            said.append(f"{what}: {value:.3f} is more than {most}")

    check("handshake and join, ms", found["handshake_join_ms"], JOIN_MS_MAX)
    for each in found["cases"]:
        name = each["case"]
        mumble_max, raw_max = RATIOS_MAX.get(name, (float("inf"), float("inf")))
        check(f"{name} beside Mumble", each["ours_per_mumble"], mumble_max)
        check(f"{name} beside the loop", each["ours_per_raw"], raw_max)
        check(f"{name} lost", 1 - each["delivered_ratio"], 1 - DELIVERED_MIN)
        check(f"{name} p99, ms", each["latency_ms"]["p99"], LATENCY_P99_MS_MAX)
        check(f"{name} KiB a member", each["rss_kib_per_member"], MEMBER_KIB_MAX)
    return said


async def run(options: argparse.Namespace) -> Figures:
    """Run all that was asked for."""
    compile_kernels()
    found: Figures = {"handshake_join_ms": await join_cost(), "cases": []}
    print(f"handshake and join: {found['handshake_join_ms']:.2f} ms of CPU", flush=True)
    with tempfile.TemporaryDirectory(prefix="sidetone-bench-") as folder:
        for name in filter(None, options.cases.split(",")):
            found["cases"].append(await measure(Case.parse(name), options, Path(folder)))
            print(table(found["cases"][-1:]), flush=True)
    if options.big:
        found["cases"].append(await measure_big())
    return found


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default=CASES, help="rooms x members x speakers, by commas")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one run; at most 8")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--plain", action="store_true", help="the server without kernels as well")
    parser.add_argument("--churn", action="store_true", help="20 join and leave each second")
    parser.add_argument("--video", action="store_true", help="ten watch a screen meanwhile")
    parser.add_argument("--big", action="store_true", help="a room of 1,000, 10 of them speaking")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    options.seconds = min(options.seconds, 8.0)
    found: dict[str, Any] = asyncio.run(run(options))
    print("\n" + table(found["cases"]))
    for fault in faults(found):
        print(f"MISSED: {fault}")
    for each in found["cases"]:
        for what in ("churn", "video"):
            if what in each:
                print(f"{each['case']} with {what}: {each[what]}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
