"""``docs/metrics.md``, made of what running processes offer: ``./just metrics``."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.observability.cluster import used_cluster

FILE = Path(__file__).parents[2] / "docs" / "metrics.md"
_TABLE = "| metric | type | labels | where | what |\n| --- | --- | --- | --- | --- |\n"


def scraped(urls: Mapping[str, str]) -> dict[str, list[Metric]]:
    """Return what each process offers, by its name."""
    return {
        name: list(text_string_to_metric_families(httpx.get(f"{url}/metrics").text))
        for name, url in urls.items()
    }


def document(processes: Mapping[str, list[Metric]]) -> str:
    """Return the text of the file, with a new table."""
    families: dict[str, Metric] = {}
    labels: dict[str, set[str]] = {}
    places: dict[str, list[str]] = {}
    for process, found in processes.items():
        for family in found:
            if family.name.endswith("_created"):
                continue
            families[family.name] = family
            places.setdefault(family.name, []).append(process)
            of_it = labels.setdefault(family.name, set())
            for sample in family.samples:
                of_it.update(set(sample.labels) - {"le"})
    everywhere = len(processes)
    rows = [
        _row(
            families[name],
            sorted(labels[name]),
            "all" if len(places[name]) == everywhere else ", ".join(sorted(places[name])),
        )
        for name in sorted(families)
    ]
    head = FILE.read_text().partition(_TABLE)[0]
    return head + _TABLE + "".join(rows)


def full_name(family: Metric) -> str:
    """Return the name by which queries ask for *family*."""
    return f"{family.name}_total" if family.type == "counter" else family.name


def _row(family: Metric, labels: list[str], where: str) -> str:
    shown = ", ".join(f"`{label}`" for label in labels)
    cells = (f"`{full_name(family)}`", family.type, shown, where, family.documentation)
    return f"| {' | '.join(cells)} |\n"


async def _write() -> None:
    async with used_cluster() as urls:
        FILE.write_text(document(scraped(urls)))


if __name__ == "__main__":
    asyncio.run(_write())
