"""The routes that every service has for those who run it: alive, ready, metrics, the document."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import TypeAlias

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.types import ControllerRouterHandler

from sidetone.runtime.http_requests import AnyRequest
from sidetone.telemetry.metrics import exposition

Check: TypeAlias = Callable[[], Awaitable[None]]


def probes(ready: Sequence[Check], document: Callable[[], bytes]) -> list[ControllerRouterHandler]:
    """Return the routes; *document* makes the OpenAPI document, once."""
    made: list[bytes] = []

    @get("/livez", media_type="text/plain", include_in_schema=False, unlimited=True)
    async def livez() -> str:
        return "alive"

    @get("/readyz", media_type="text/plain", include_in_schema=False, unlimited=True)
    async def readyz() -> str:
        for check in ready:
            await check()
        return "ready"

    @get("/metrics", media_type="text/plain", include_in_schema=False, unlimited=True)
    async def metrics(request: AnyRequest) -> bytes:
        # Scrapers live beside the process; to the rest of the world the path does not exist.
        if request.client is None or not ip_address(request.client.host).is_private:
            raise NotFoundException
        return exposition()

    @get("/openapi.json", media_type="application/json", include_in_schema=False)
    async def openapi() -> bytes:
        if not made:
            made.append(document())
        return made[0]

    return [livez, readyz, metrics, openapi]
