"""The gateway as a process of its own.

It has no routes but the probes; a client finds one of several by its address, and can resume only
where its session is: a load balancer keeps a client at one of them, or the session begins anew.
"""

import os

import structlog

from sidetone.gateway.app import build
from sidetone.gateway.settings import Settings
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.deployment import checks, surroundings
from sidetone.runtime.http import app_of
from sidetone.runtime.process import run, serving, stop_requested
from sidetone.runtime.settings import load

_log = structlog.get_logger(__name__)


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_GATEWAY", os.environ)
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    identity = settings.identity(clock.now_ms())
    async with surroundings(settings, clock) as around:
        door = await build(around, settings.policy(), settings.tokens())
        app = app_of([], around=around, policy=settings.http(), ready=checks(around))
        async with serving(
            app,
            settings.host,
            settings.port,
            clock=clock,
            identity=identity,
            trusted_proxies=settings.trusted_proxies,
            upgrades=door,
        ) as port:
            _log.info("serving", host=settings.host, port=port)
            await stop_requested()
            _log.info("stopping")


if __name__ == "__main__":
    run(main)
