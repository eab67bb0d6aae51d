"""How a dashboard is described, and how Grafana's builders make it."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.models.common import LegendPlacement, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef

_SOURCE = DataSourceRef("prometheus", "prometheus")
_WIDTH, _HEIGHT = 8, 8


class Query(NamedTuple):
    """One line or several of a graph, named by *legend*."""

    expr: str
    legend: str


class Graph(NamedTuple):
    """One panel; *unit* is Grafana's name of it, *text* says what to look for."""

    title: str
    unit: str
    text: str
    queries: Sequence[Query]


class Board(NamedTuple):
    """One dashboard: its rows by their titles."""

    name: str
    title: str
    rows: dict[str, Sequence[Graph]]


def rate(metric: str, by: str = "", match: str = "") -> str:
    """Return how much of a counter there is in a second."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{_braces(match)}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str = "", match: str = "") -> str:
    """Return what *share* of the observations of a histogram do not exceed."""
    labels = f"le, {by}" if by else "le"
    inner = f"sum by ({labels}) (rate({metric}_bucket{_braces(match)}[$__rate_interval]))"
    return f"histogram_quantile({share}, {inner})"


def built(board: Board) -> dashboard.Dashboard:
    """Return *board* as Grafana's builder."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(f"sidetone-{board.name}")
        .tags(["sidetone"])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .readonly()
    )
    for title, graphs in board.rows.items():
        made = made.with_row(dashboard.Row(title))
        for graph in graphs:
            made = made.with_panel(_panel(graph))
    return made


def _panel(graph: Graph) -> timeseries.Panel:
    panel = (
        timeseries.Panel()
        .title(graph.title)
        .description(graph.text)
        .unit(graph.unit)
        .min(0)
        .datasource(_SOURCE)
        .span(_WIDTH)
        .height(_HEIGHT)
        .legend(common.VizLegendOptions().show_legend(True).placement(LegendPlacement.BOTTOM))  # noqa: FBT003 - the builder's own signature
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    for letter, query in zip(ascii_uppercase, graph.queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend)
        panel = panel.with_target(target.ref_id(letter).range())
    return panel


def _braces(match: str) -> str:
    return f"{{{match}}}" if match else ""
