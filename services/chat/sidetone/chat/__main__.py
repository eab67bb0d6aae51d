"""Chat as a process of its own."""

import os

from litestar import Router

from sidetone.chat.app import Policy, build
from sidetone.chat.infrastructure.typesense_search import TypesenseSearch
from sidetone.chat.settings import Settings
from sidetone.runtime.deployment import run_service
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.surroundings import Surroundings

_MINUTE_MS = 60_000
_FIVE_SECONDS_MS = 5_000


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_CHAT", os.environ)
    policy = Policy(
        invites_per_address=Limit(settings.invites_per_address_per_minute, _MINUTE_MS),
        messages_per_channel=Limit(
            settings.messages_per_channel_in_five_seconds, _FIVE_SECONDS_MS
        ),
    )

    async def build_chat(around: Surroundings) -> Router:
        search = None
        if settings.typesense_url:
            search = TypesenseSearch.connect(
                around.database, settings.typesense_url, settings.typesense_api_key
            )
        return await build(around, policy, search)

    await run_service(settings, build_chat)


if __name__ == "__main__":
    run(main)
