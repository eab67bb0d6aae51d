"""Ask now and then whether there is a newer version, and say so; nothing is installed."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.desktop.domain.updates import Offer, Version, newest, offer, opened
from sidetone.protocol.refusals import Refusal
from sidetone.runtime.clock import Clock

_log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 6 * 3600.0


class UpdateSource(Protocol):
    """Where manifests come from."""

    async def fetch(self) -> bytes:
        """Return the newest file. Raises ``Unavailable`` where it cannot be had."""
        ...


class SeenVersions(Protocol):
    """Remembers the newest version that a manifest named. May block."""

    def load(self) -> Version:
        """Return it, or zeros."""
        ...

    def save(self, version: Version) -> None:
        """Remember *version*."""
        ...


class Installation(msgspec.Struct, frozen=True):
    """What runs here, and whose signature on a newer one counts (Ed25519, 32 bytes)."""

    version: Version
    platform: str
    public_key: bytes


class LookForUpdates:
    """What was found last: an *offer* for the banner, or the *problem* in looking."""

    def __init__(
        self,
        installation: Installation,
        source: UpdateSource,
        seen: SeenVersions,
        clock: Clock,
        told: Callable[[Topics], None],
    ) -> None:
        self.offer: Offer | None = None
        self.problem = ""
        self._installation = installation
        self._source = source
        self._seen = seen
        self._clock = clock
        self._told = told

    async def __call__(self) -> None:
        """Look once."""
        here = self._installation
        try:
            manifest = opened(await self._source.fetch(), here.public_key)
            seen = await asyncio.to_thread(self._seen.load)
            version = newest(manifest, max(seen, here.version), self._clock.now_ms())
            if version > seen:
                await asyncio.to_thread(self._seen.save, version)
            self.offer, self.problem = offer(manifest, here.version, here.platform), ""
        except Refusal as refusal:
            _log.info("updates: %s", refusal.detail)
            self.problem = refusal.detail
        self._told(topics(Topic("updates")))

    async def run(self, wanted: Callable[[], bool]) -> None:
        """Look four times a day as long as it is *wanted*, until it is cancelled."""
        while True:
            if wanted():
                await self()
            await asyncio.sleep(_EVERY_SECONDS)
