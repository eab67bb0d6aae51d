"""Writes the dashboards for Grafana: ``./just dashboards``."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from infra.observability.boards.calls import CALLS
from infra.observability.boards.chat import CHAT
from infra.observability.boards.engines import ENGINES
from infra.observability.boards.gateway import GATEWAY
from infra.observability.panels import Board, built

BOARDS = (CALLS, CHAT, GATEWAY, ENGINES)
FOLDER = Path(__file__).parent / "dashboards"


def text_of(board: Board) -> str:
    """Return *board* as Grafana reads it."""
    return JSONEncoder(sort_keys=True, indent=1).encode(built(board).build()) + "\n"


if __name__ == "__main__":
    for each in BOARDS:
        (FOLDER / f"{each.name}.json").write_text(text_of(each))
        print(f"{each.name}.json: {sum(map(len, each.rows.values()))} panels")
