"""The web behind links: asked politely, trusted in nothing.

Every connection, also of every redirect, goes to an address that was found public a moment
before, and to that address: a name that means another one next time gains nothing. The answer is
bounded in time and size, is taken unpacked only, and is read in a child process.
"""

import asyncio
from collections.abc import AsyncIterator
from email.message import Message
from urllib.parse import urljoin

import httpcore
import msgspec
import structlog

from sidetone.media.application.ports import Page, Sniffer
from sidetone.media.domain.bounds import PREVIEW_SIDE_PX, PREVIEW_TYPE, Bounds, Picture
from sidetone.media.domain.links import Link, public_link
from sidetone.media.domain.media_types import PICTURES
from sidetone.media.domain.texts import one_line
from sidetone.media.infrastructure.turns import Turns
from sidetone.media.infrastructure.workshop import Workshop
from sidetone.protocol.refusals import Invalid
from sidetone.runtime.public_network import PublicNetwork

_REDIRECTS_MAX = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
_CONTENT_BYTES_MAX = 1 << 20
_PER_HOST_AT_ONCE = 2
_TITLE_LENGTH_MAX = 200
_DESCRIPTION_LENGTH_MAX = 500
_SITE_LENGTH_MAX = 80
_HEADERS = [
    ("User-Agent", "Sidetone link preview"),
    ("Accept-Language", "en"),
    # What is packed small can be large: it is not asked for, and not taken.
    ("Accept-Encoding", "identity"),
    ("Connection", "close"),
]
_AWAY = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    TimeoutError,
    OSError,
)

_log = structlog.get_logger(__name__)


class Answer(msgspec.Struct, frozen=True):
    """What came from *url*, at most a megabyte of it."""

    url: str
    status: int
    media_type: str
    charset: str | None
    location: str | None
    content: bytes


class PublicWeb:
    """Reads pages and pictures."""

    def __init__(
        self,
        workshop: Workshop,
        sniff: Sniffer,
        network: PublicNetwork,
        seconds_max: float = 5.0,
    ) -> None:
        self._workshop = workshop
        self._sniff = sniff
        self._network = network
        self._seconds_max = seconds_max
        self._tls = httpcore.default_ssl_context()
        self._turns = Turns(_PER_HOST_AT_ONCE)

    async def page(self, url: str) -> Page | None:
        """Return what the page says of itself, where it has a title."""
        answer = await self._get(url, frozenset({"text/html"}))
        if answer is None:
            return None
        words = await self._workshop.skim(answer.content, answer.charset)
        title = one_line(words.title, _TITLE_LENGTH_MAX)
        if not title:
            return None
        return Page(
            title,
            one_line(words.description, _DESCRIPTION_LENGTH_MAX),
            one_line(words.site, _SITE_LENGTH_MAX),
            _joined(answer.url, words.image) if words.image else None,
        )

    async def picture(self, url: str) -> Picture | None:
        """Return the picture, made anew and small."""
        answer = await self._get(url, PICTURES)
        if answer is None or len(answer.content) >= _CONTENT_BYTES_MAX:
            return None
        sniffed = self._sniff(answer.content)
        if sniffed not in PICTURES:
            return None
        picture_format = sniffed.rpartition("/")[2].upper()
        try:
            made = await self._workshop.paint(
                _one(answer.content), picture_format, Bounds(side_px=PREVIEW_SIDE_PX)
            )
        except Invalid:
            return None
        return Picture(PREVIEW_TYPE, made.preview, made.width, made.height, made.preview)

    async def _get(self, url: str, media_types: frozenset[str]) -> Answer | None:
        """Return what is at *url* or where it leads to, None where that is not *media_types*."""
        try:
            async with asyncio.timeout(self._seconds_max):
                answer = await self._follow(url, media_types)
        except _AWAY as error:
            _log.info("link_not_read", reason=type(error).__name__)
            return None
        if answer is None or answer.status != _OK or answer.media_type not in media_types:
            return None
        return answer

    async def _follow(self, url: str, media_types: frozenset[str]) -> Answer | None:
        for _ in range(_REDIRECTS_MAX + 1):
            link = public_link(url)
            if link is None:
                return None
            async with self._turns.of(link.host):
                answer = await self._ask(url, link, media_types)
            if answer.location is None:
                return answer
            target = _joined(url, answer.location)
            if target is None:
                return None
            url = target
        return None

    async def _ask(self, url: str, link: Link, media_types: frozenset[str]) -> Answer:
        asked = httpcore.URL(
            scheme=link.scheme, host=link.host, port=link.port, target=link.target
        )
        headers = [*_HEADERS, ("Accept", ", ".join(sorted(media_types)))]
        # A pool for one request: nothing of one page is left for the next.
        async with (
            httpcore.AsyncConnectionPool(
                self._tls, max_keepalive_connections=0, network_backend=self._network
            ) as pool,
            pool.stream("GET", asked, headers=headers) as response,
        ):
            answer = _head(url, response)
            if answer.status != _OK or answer.media_type not in media_types:
                return answer
            content = await _read(response.aiter_stream())
            return msgspec.structs.replace(answer, content=content)


def _head(url: str, response: httpcore.Response) -> Answer:
    """Return what the headers of *response* say; what is packed is of no type."""
    headers = Message()
    for name, value in response.headers:
        text = name.decode("latin-1").lower()
        if text in {"content-type", "content-encoding", "location"} and text not in headers:
            headers[text] = value.decode("latin-1")
    is_redirect = response.status in _REDIRECTS
    packed = headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    return Answer(
        url,
        response.status,
        "" if packed or "content-type" not in headers else headers.get_content_type(),
        headers.get_content_charset(),
        headers.get("location") if is_redirect else None,
        b"",
    )


async def _read(stream: AsyncIterator[bytes]) -> bytes:
    """Return the beginning of *stream*: what a page says of itself stands at its top."""
    content = bytearray()
    async for piece in stream:
        content += piece
        if len(content) >= _CONTENT_BYTES_MAX:
            break
    return bytes(content[:_CONTENT_BYTES_MAX])


def _joined(url: str, target: str) -> str | None:
    try:
        joined = urljoin(url, target.strip())
    except ValueError:
        return None
    return joined if public_link(joined) is not None else None


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
