"""A running cluster as its operators see it: metrics, dashboards, alerts, ``sidetone status``."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from infra.observability.write_dashboards import BOARDS
from sidetone.all_in_one.__main__ import main
from tests.cluster.stage import SERVICES
from tests.observability.cluster import NODE, used_cluster
from tests.observability.metrics_document import FILE, document, scraped
from tests.observability.prometheus import Prometheus, start_prometheus

# A rate needs two scrapes, and a few make it steady.
SCRAPES = 4
WINDOW = "[20s]"
# A process of its own for each, and the first queries of Prometheus: not everything is quick.
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def urls() -> AsyncGenerator[Mapping[str, str]]:
    async with used_cluster() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(urls: Mapping[str, str]) -> AsyncGenerator[Prometheus]:
    engine, started = await asyncio.to_thread(start_prometheus, urls)
    with engine:
        async with asyncio.timeout(60):
            scrapes = f"count_over_time(up{WINDOW}) >= {SCRAPES}"
            while len(await asyncio.to_thread(started.query, scrapes)) < len(urls):  # noqa: ASYNC110 - Prometheus offers nothing to wait on
                await asyncio.sleep(0.2)
        yield started


async def test_every_metric_of_a_running_cluster_is_documented(urls: Mapping[str, str]) -> None:
    # `./just metrics` writes it anew.
    assert document(await asyncio.to_thread(scraped, urls)) == FILE.read_text()


async def test_every_panel_shows_what_happens(prometheus: Prometheus) -> None:
    empty = []
    for board in BOARDS:
        for graph in (graph for graphs in board.rows.values() for graph in graphs):
            for query in graph.queries:
                expr = query.expr.replace("[$__rate_interval]", WINDOW)
                series = await asyncio.to_thread(prometheus.query, expr)
                if not series:
                    empty.append((board.name, graph.title, query.expr))
    assert empty == []


async def test_panels_show_what_people_did(prometheus: Prometheus) -> None:
    def value(expr: str) -> float:
        (series,) = prometheus.query(expr)
        return float(series["value"][1])

    def ask() -> dict[str, float]:
        return {
            "messages": value("sum(sidetone_chat_messages_sent_total)"),
            "sockets": value("sum(sidetone_gateway_sockets)"),
            "tickets": value("sum(sidetone_calls_tickets_total)"),
            "nodes": value('max(sidetone_calls_nodes{state="open"})'),
            "deliveries": value("sum(sidetone_gateway_deliveries_total) >= bool 3"),
            "facts": value('sum(sidetone_outbox_told_total{outbox="chat"}) >= bool 3'),
        }

    seen = await asyncio.to_thread(ask)
    assert seen == dict.fromkeys(seen, 1) | {"messages": 3}


async def test_alerts_are_judged_and_silent(prometheus: Prometheus) -> None:
    async with asyncio.timeout(30):
        while any(rule["health"] == "unknown" for rule in prometheus.rules()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.2)
    rules = await asyncio.to_thread(prometheus.rules)
    assert [
        (rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"
    ] == []
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []


async def test_alerts_look_at_what_there_is(prometheus: Prometheus) -> None:
    known = {series["metric"]["__name__"] for series in prometheus.query('{__name__=~".+"}')}
    for rule in prometheus.rules():
        names = set(re.findall(r"\b(?:sidetone|process)_\w+", rule["query"]))
        assert names <= known, rule["name"]


# --- sidetone status ---


def status(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["status", *arguments], env=environment)


async def test_status_shows_processes_nodes_and_lag(urls: Mapping[str, str]) -> None:
    shown = await asyncio.to_thread(status, "--json", *urls.values())
    assert shown.exit_code == 0, shown.output
    state = json.loads(shown.stdout)
    programs = [process["program"] for process in state["processes"]]
    assert programs == [*SERVICES, NODE.replace("-", " ")]
    assert all(process["trouble"] == "" for process in state["processes"])
    assert all(process["version"] != "unknown" for process in state["processes"])
    assert all(process["memory_mb"] > 10 for process in state["processes"])
    assert [node["devices"] for node in state["voice_nodes"]] == [0]
    assert state["sockets"] == 1
    assert state["outbox_lag_seconds"] == 0
    assert state["statement_ms"] > 0


async def test_status_is_readable(urls: Mapping[str, str]) -> None:
    shown = await asyncio.to_thread(status, *urls.values())
    assert shown.exit_code == 0
    for words in ("Processes", "Voice nodes", "clients connected", "lag of the outbox"):
        assert words in shown.stdout


async def test_status_finds_what_the_settings_of_this_machine_speak_of(
    urls: Mapping[str, str],
) -> None:
    ports = {
        f"SIDETONE_{name.upper().replace('-', '_')}_PORT": urls[name].rpartition(":")[2]
        for name in SERVICES
    }
    ports["SIDETONE_SFU_METRICS_PORT"] = urls[NODE].rpartition(":")[2]
    shown = await asyncio.to_thread(lambda: status("--json", SIDETONE_SFU_WORKERS="1", **ports))
    state = json.loads(shown.stdout)
    assert set(urls.values()) <= {process["url"] for process in state["processes"]}
    assert state["silent"] == []


async def test_status_tells_of_one_that_is_silent(urls: Mapping[str, str]) -> None:
    shown = await asyncio.to_thread(status, urls["chat"], "http://127.0.0.1:1")
    assert shown.exit_code == 2
    assert "http://127.0.0.1:1 does not answer" in shown.stdout
