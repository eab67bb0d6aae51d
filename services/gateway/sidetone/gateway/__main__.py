"""The gateway as a process of its own.

It has no routes but the probes; a client finds one of several by its address, and can resume only
where its session is: a load balancer keeps a client at one of them, or the session begins anew.
"""

import os
from contextlib import AsyncExitStack

from sidetone.gateway.app import build
from sidetone.gateway.settings import Settings
from sidetone.runtime.deployment import Served, run_process, served
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.surroundings import Surroundings


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_GATEWAY", os.environ)

    async def make(around: Surroundings, _: AsyncExitStack) -> Served:
        door = await build(around, settings.policy(), settings.tokens())
        return served(settings, around, [], door)

    await run_process(settings, make, sockets=True)


if __name__ == "__main__":
    run(main)
