"""Auth as a process of its own."""

import os

from sidetone.auth.app import Policy, build
from sidetone.auth.settings import Settings
from sidetone.runtime.deployment import run_service
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import run
from sidetone.runtime.settings import load

_MINUTE_MS = 60_000


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_AUTH", os.environ)
    await run_service(settings, lambda around: build(around, _policy(settings)))


def _policy(settings: Settings) -> Policy:
    return Policy(
        token=settings.tokens(),
        login_per_account=Limit(settings.logins_per_account_per_minute, _MINUTE_MS),
        login_per_address=Limit(settings.logins_per_address_per_minute, _MINUTE_MS),
        register_per_address=Limit(settings.registrations_per_address_per_minute, _MINUTE_MS),
    )


if __name__ == "__main__":
    run(main)
