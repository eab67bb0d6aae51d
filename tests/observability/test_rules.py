"""Dashboards, alerts and scrape configurations are whole and agree with the code."""

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.metrics_core import Metric

# What is imported has declared its metrics.
import sidetone.all_in_one.app
import sidetone.chat.infrastructure.search_indexer  # noqa: F401
from infra.observability.panels import Board
from infra.observability.write_dashboards import BOARDS, FOLDER, text_of
from sidetone.all_in_one.__main__ import main
from sidetone.telemetry.metrics import REGISTRY
from tests.observability.metrics_document import FILE, full_name
from tests.observability.prometheus import promtool

ROOT = Path(__file__).parents[2]
OBSERVABILITY = ROOT / "infra" / "observability"
UNITS = ("_seconds", "_bytes", "_ratio", "_info")
# What counts things has the thing as its unit.
NAME = re.compile(r"(sidetone_[a-z]+(_[a-z0-9]+)+|process_[a-z_]+)")
METRIC = re.compile(r"\b(?:sidetone|process)_\w+")
# What a histogram is asked for by.
SUFFIX = re.compile(r"_(bucket|count|sum)$")


def documented() -> set[str]:
    return set(re.findall(r"^\| `(\w+)`", FILE.read_text(), re.MULTILINE))


def ours() -> list[Metric]:
    return list(REGISTRY.collect())


@pytest.mark.parametrize("family", ours(), ids=lambda family: family.name)
def test_a_metric_follows_the_conventions(family: Metric) -> None:
    name = full_name(family)
    assert NAME.fullmatch(name)
    assert not re.search(r"_(ms|milliseconds|percent|kb|mb|minutes)(_|$)", name)
    assert name.endswith("_total") == (family.type == "counter")
    if family.type == "histogram":
        assert name.endswith("_seconds")
    assert family.documentation.endswith(".")
    labels = {label for sample in family.samples for label in sample.labels}
    assert labels.isdisjoint({"user", "channel", "room", "name", "address", "service", "job"})


@pytest.mark.parametrize("family", ours(), ids=lambda family: family.name)
def test_a_metric_is_documented(family: Metric) -> None:
    assert full_name(family) in documented()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_dashboard_is_as_the_code_says(board: Board) -> None:
    # `./just dashboards` writes it anew.
    assert (FOLDER / f"{board.name}.json").read_text() == text_of(board)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_dashboard_asks_for_metrics_that_exist(board: Board) -> None:
    known = documented()
    for graph in (graph for graphs in board.rows.values() for graph in graphs):
        assert graph.text
        for query in graph.queries:
            for name in METRIC.findall(query.expr):
                assert SUFFIX.sub("", name) in known, (graph.title, name)


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", (OBSERVABILITY / "alerts.yml").read_text())


def test_an_alert_asks_for_metrics_that_exist() -> None:
    known = documented()
    for line in (OBSERVABILITY / "alerts.yml").read_text().splitlines():
        for name in METRIC.findall(line):
            assert SUFFIX.sub("", name) in known, line


def test_each_alert_has_a_place_in_the_runbook_and_the_other_way_round() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert re.findall(r"^### (\w+)$", runbook, re.MULTILINE) == alerts()
    told = re.findall(
        r"runbook: docs/runbook.md#(\w+)", (OBSERVABILITY / "alerts.yml").read_text()
    )
    assert told == [name.lower() for name in alerts()]


def test_each_alert_fires_in_a_test() -> None:
    tests = (OBSERVABILITY / "alerts_test.yml").read_text()
    assert [name for name in alerts() if f'alertname="{name}"' not in tests] == []


def test_alerts_do_what_their_tests_say() -> None:
    ran = subprocess.run(
        [promtool(), "test", "rules", "alerts_test.yml"],
        cwd=OBSERVABILITY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_scrape_configuration_can_be_read() -> None:
    command = [promtool(), "check", "config", "prometheus.yml"]
    ran = subprocess.run(command, cwd=OBSERVABILITY, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_status_of_nothing_is_one_clear_line() -> None:
    shown = CliRunner().invoke(main, ["status", "http://127.0.0.1:1"])
    assert shown.exit_code == 1
    (line,) = shown.stderr.splitlines()
    assert line.startswith("http://127.0.0.1:1 does not answer: ")
    assert line.endswith("; start it, or correct the address")
