"""The live table of the demo; without a terminal, a line per stage."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from sidetone.all_in_one.demo.talk import Row


class LiveTable:
    """Shows how everybody hears everybody, several times a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._stage = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, stage: str, rows: Sequence[Row] = ()) -> None:
        """Show *stage* and *rows*."""
        if self._console.is_terminal:
            self._live.update(_table(stage, rows) if rows else stage, refresh=True)
        elif not rows and stage != self._stage:
            self._console.print(stage)
        self._stage = stage


def _table(stage: str, rows: Sequence[Row]) -> Table:
    table = Table(title=f"Sidetone demo: {stage}", title_justify="left")
    table.add_column("speaker → listener")
    for name in ("delivered", "lost", "buffer", "mouth to ear", "epoch"):
        table.add_column(name, justify="right")
    table.add_column("code")
    for row in rows:
        table.add_row(
            f"{row.speaker} → {row.listener}",
            f"{row.delivered_ratio:.1%}",
            str(row.lost),
            f"{row.depth_ms:.0f} ms",
            "…" if row.delay_ms is None else f"{row.delay_ms:.0f} ms",
            str(row.epoch),
            row.code or "…",
        )
    return table
