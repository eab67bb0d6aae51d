"""Previews of links: what pages say of themselves, however badly they say it."""

import asyncio
import gzip

import pytest

from services.media.tests.site import PAGE, Site, Writer, answer, open_site, preview
from services.media.tests.stage import HOUR_MS, Stage, opened, picture
from sidetone.media.infrastructure.sniffing import sniff
from sidetone.media.infrastructure.web import PublicWeb
from sidetone.media.infrastructure.workshop import Workshop
from sidetone.protocol.files import LinkPreview
from sidetone.protocol.questions import DropFiles, PreviewLink
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.public_network import PublicNetwork


async def test_a_page_is_shown_as_it_describes_itself(stage: Stage) -> None:
    ada, stranger = stage.user(), stage.user()
    channel = stage.channel(ada)
    async with open_site(stage) as site:
        site.pages["/page?x=1"] = answer(PAGE)
        site.pages["/bird.png"] = answer(picture("PNG", (1200, 600)), "image/png")
        shown = await preview(stage, "http://birds.example/page?x=1", channel)
        assert shown is not None
        assert shown.image is not None
        assert shown == LinkPreview(
            "http://birds.example/page?x=1",
            "Birds & bees",
            "How they get along",
            "Nature",
            shown.image,
        )
        assert site.asked == [("birds.example", "/page?x=1"), ("birds.example", "/bird.png")]
    read = await ada.read(shown.image)
    assert opened(read.content).size == (400, 200)
    assert read.headers["content-type"] == "image/webp"
    assert (await stranger.read(shown.image)).status_code == 404


async def test_each_channel_has_a_copy_and_the_page_is_asked_once(
    embedded: Stage, site: Site
) -> None:
    site.pages["/"] = answer(PAGE)
    site.pages["/bird.png"] = answer(picture(), "image/png")
    ada, ben = embedded.user(), embedded.user()
    here, there = embedded.channel(ada), embedded.channel(ben)
    first, second = await asyncio.gather(
        preview(embedded, "http://birds.example/", here),
        preview(embedded, "http://birds.example/", there),
    )
    await preview(embedded, "http://birds.example/#top", here)
    assert len(site.asked) == 2
    assert first is not None
    assert second is not None
    assert first.image is not None
    assert second.image is not None
    await embedded.around.bus.ask(DropFiles([first.image]))
    assert (await ada.read(first.image)).status_code == 404
    assert (await ben.read(second.image)).status_code == 200
    embedded.clock.ahead_ms = HOUR_MS + 1000
    await preview(embedded, "http://birds.example/", here)
    assert len(site.asked) == 4


async def test_a_page_without_a_picture_is_shown_without(embedded: Stage, site: Site) -> None:
    site.pages["/"] = answer(b"<title>Only words</title>")
    site.pages["/broken"] = answer(b'<title>x</title><meta property="og:image" content="/no">')
    assert await preview(embedded, "http://a.example/") == LinkPreview(
        "http://a.example/", "Only words"
    )
    broken = await preview(embedded, "http://a.example/broken")
    assert broken is not None
    assert broken.image is None


@pytest.mark.parametrize(
    "page",
    [
        answer(b"no title"),
        answer(b"<title>   </title>"),
        answer(PAGE, "text/plain"),
        answer(PAGE, "application/json"),
        answer(PAGE, "image/svg+xml"),
        answer(PAGE, "nonsense"),
        answer(PAGE, status="404 Not Found"),
        answer(PAGE, status="304 Not Modified"),
        answer(gzip.compress(PAGE), content_encoding="gzip"),
        answer(PAGE, content_encoding="br"),
        answer(gzip.compress(b"<title>x</title>" + bytes(50_000_000)), content_encoding="gzip"),
        b"not http at all",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\ncontent-type: text/html\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"",
    ],
    ids=range(16),
)
async def test_there_is_nothing_to_show(embedded: Stage, site: Site, page: bytes) -> None:
    site.pages["/"] = page
    assert await preview(embedded, "http://a.example/") is None


@pytest.mark.parametrize(
    ("page", "title"),
    [
        (answer("<title>größe</title>".encode("latin-1"), "text/html; charset=latin-1"), "größe"),
        (answer('<meta charset="shift_jis"><title>鳥</title>'.encode("shift_jis")), "鳥"),
        (answer("\ufeff<title>ä</title>".encode("utf-16-le"), "text/html"), "ä"),
        (answer(b"<title>\xff\xfeab</title>", "text/html; charset=utf-8"), "\ufffd\ufffdab"),
        (answer("<title>ä</title>".encode(), "text/html; charset=punycode"), "ä"),
        (answer("<title>ä</title>".encode(), "text/html; charset=\xff"), "ä"),
        (answer("<title>a\x00\u202eb\u200b\n c</title>".encode()), "a\ufffdb c"),
        (answer(b"<title>" + b"x" * 100_000 + b"</title>"), "x" * 199 + "…"),
    ],
    ids=range(8),
)
async def test_words_are_read_whatever_they_are_written_in(
    embedded: Stage, site: Site, page: bytes, title: str
) -> None:
    if b"shift_jis" in page:
        page = page.replace(b"; charset=utf-8", b"")
    site.pages["/"] = page
    shown = await preview(embedded, "http://a.example/")
    assert shown is not None
    assert shown.title == title


async def test_of_a_huge_page_the_beginning_is_read(embedded: Stage, site: Site) -> None:
    sent = 0

    async def endless(_: str, __: str, writer: Writer) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>long</title>")
        while sent < 1 << 30:
            writer.write(b"x" * 65536)
            sent += 65536
            await writer.drain()

    site.pages["/"] = endless
    shown = await preview(embedded, "http://a.example/")
    assert shown is not None
    assert shown.title == "long"
    assert sent < 64 << 20


async def test_a_page_that_drips_is_given_up(embedded: Stage, site: Site) -> None:
    async def drip(_: str, __: str, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>slow</title>")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    site.pages["/"] = drip
    web = PublicWeb(Workshop(), sniff, PublicNetwork(embedded.web, embedded.web), seconds_max=0.5)
    assert await web.page("http://a.example/") is None


async def test_who_asks_too_early_is_told_to_come_back(embedded: Stage, site: Site) -> None:
    go_on = asyncio.Event()

    async def late(_: str, __: str, writer: Writer) -> None:
        await go_on.wait()
        writer.write(answer(b"<title>late</title>"))

    site.pages["/"] = late
    with pytest.raises(Unavailable) as refused:
        await embedded.around.bus.ask(PreviewLink("http://a.example/", embedded.channel()))
    assert refused.value.code == "preview_pending"
    go_on.set()
    shown = await preview(embedded, "http://a.example/")
    assert shown is not None
    assert shown.title == "late"
    assert len(site.asked) == 1


async def test_one_host_is_asked_for_two_things_at_once(embedded: Stage, site: Site) -> None:
    async def slow(_: str, path: str, writer: Writer) -> None:
        await asyncio.sleep(0.05)
        writer.write(answer(f"<title>{path}</title>".encode()))

    for number in range(8):
        site.pages[f"/{number}"] = slow
    shown = await asyncio.gather(
        *(preview(embedded, f"http://a.example/{number}") for number in range(8))
    )
    assert [page and page.title for page in shown] == [f"/{number}" for number in range(8)]
    assert site.at_once_max <= 2
