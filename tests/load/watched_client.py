"""The client, with a watch on its loop: `python -m tests.load.watched_client --data DIR …`.

It prints each call that took long, as a line of JSON after a mark.
"""

import msgspec

from sidetone.desktop.__main__ import client
from tests.load.loop_watch import LongCall, LoopWatch

MARK = "long call: "


def main() -> None:
    """Run the client, and say what holds its loop."""
    LoopWatch(said).start()
    client()


def said(call: LongCall) -> None:
    """Print *call*."""
    print(MARK + msgspec.json.encode(call).decode(), flush=True)


if __name__ == "__main__":
    main()
