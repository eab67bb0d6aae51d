"""Voice as a process of its own."""

import os

from sidetone.runtime.deployment import run_service
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.voice.app import build
from sidetone.voice.settings import Settings


async def main() -> None:
    """Run until told to stop."""
    await run_service(load(Settings, "SIDETONE_VOICE", os.environ), build)


if __name__ == "__main__":
    run(main)
