"""Previews of links: what pages say of themselves, and everything that hostile ones try."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.media.tests.stage import HOUR_MS, Stage, open_stage, opened, picture
from sidetone.media.domain.addresses import is_public
from sidetone.media.domain.links import public_link
from sidetone.media.infrastructure.sniffing import sniff
from sidetone.media.infrastructure.web import PublicNetwork, PublicWeb, SystemAddresses
from sidetone.media.infrastructure.workshop import Workshop
from sidetone.protocol.files import LinkPreview
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.questions import DropFiles, PreviewLink
from sidetone.protocol.refusals import Unavailable

Writer = asyncio.StreamWriter
Handler = Callable[[str, str, Writer], Awaitable[None]]

PAGE = b"""<!doctype html><html><head><title>Plain title</title>
<meta property="og:title" content="Birds &amp; bees">
<meta property="og:description" content=" How they
  get along ">
<meta property="og:site_name" content="Nature"><meta property="og:image" content="/bird.png">
</head><body></body></html>"""


def answer(
    body: bytes, media_type: str = "text/html; charset=utf-8", status: str = "200 OK", **more: str
) -> bytes:
    headers = {"content-type": media_type, "content-length": str(len(body))} | more
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def redirect(target: str) -> bytes:
    return answer(b"", status="302 Found", location=target)


class Site:
    """A web server that says what a test wants; it knows what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Handler] = {}
        self.asked: list[tuple[str, str]] = []
        self.at_once = 0
        self.at_once_max = 0

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = head[0].split(" ")[1]
            host = next(line[6:] for line in head if line.lower().startswith("host: "))
            self.asked.append((host, path))
            page = self.pages.get(path, answer(b"", status="404 Not Found"))
            if isinstance(page, bytes):
                writer.write(page)
                await writer.drain()
            else:
                await page(host, path, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.at_once -= 1
            writer.close()


@asynccontextmanager
async def open_site(stage: Stage) -> AsyncGenerator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    stage.web.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()


@pytest.fixture
async def site(embedded: Stage) -> AsyncGenerator[Site]:
    async with open_site(embedded) as opened_site:
        yield opened_site


async def preview(stage: Stage, url: str, channel: ChannelId | None = None) -> LinkPreview | None:
    """Ask as chat does: again while the page has not answered yet."""
    channel = channel or stage.channel()
    async with asyncio.timeout(30):
        while True:
            try:
                return await stage.around.bus.ask(PreviewLink(url, channel))
            except Unavailable as refusal:
                if refusal.code != "preview_pending":
                    raise


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


class TestRedirects:
    async def test_three_are_followed(self, embedded: Stage, site: Site) -> None:
        site.pages |= {
            "/0": redirect("/1"),
            "/1": redirect("http://b.example/2"),
            "/2": redirect("//c.example/3"),
            "/3": answer(PAGE.replace(b'"/bird.png"', b'"bird.png"')),
            "/bird.png": answer(picture(), "image/png"),
        }
        shown = await preview(embedded, "http://a.example/0")
        assert shown is not None
        assert shown.url == "http://a.example/0"
        assert [host for host, _ in site.asked] == [
            "a.example",
            "a.example",
            "b.example",
            "c.example",
            "c.example",
        ]

    async def test_four_are_not(self, embedded: Stage, site: Site) -> None:
        site.pages |= {f"/{number}": redirect(f"/{number + 1}") for number in range(4)}
        site.pages["/4"] = answer(PAGE)
        assert await preview(embedded, "http://a.example/0") is None
        assert ("a.example", "/4") not in site.asked

    @pytest.mark.parametrize(
        "target",
        [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://localhost/",
            "http://inside.example/",
            "http://2130706433/",
            "http://a.example:8080/",
            "http://user:word@a.example/x",
            "file:///etc/passwd",
            "gopher://a.example/",
            "javascript:alert(1)",
            "http://[/",
            "",
        ],
    )
    async def test_none_leads_inside(self, embedded: Stage, site: Site, target: str) -> None:
        for name in ("127.0.0.1", "localhost", "2130706433", "inside.example"):
            embedded.web.answers[name] = [["127.0.0.1"]]
        embedded.web.answers["169.254.169.254"] = [["169.254.169.254"]]
        embedded.web.answers["::1"] = [["::1"]]
        site.pages["/go"] = redirect(target)
        site.pages["/"] = site.pages["/x"] = answer(PAGE)
        assert await preview(embedded, "http://a.example/go") is None
        assert {path for _, path in site.asked} == {"/go"}

    async def test_a_picture_is_not_fetched_from_inside(self, embedded: Stage, site: Site) -> None:
        embedded.web.answers["inside.example"] = [["10.0.0.1"]]
        site.pages["/"] = answer(PAGE.replace(b"/bird.png", b"http://inside.example/bird.png"))
        site.pages["/bird.png"] = answer(picture(), "image/png")
        shown = await preview(embedded, "http://a.example/")
        assert shown is not None
        assert shown.image is None
        assert len(site.asked) == 1


class TestAddresses:
    async def test_a_name_that_turns_inward_gains_nothing(
        self, embedded: Stage, site: Site
    ) -> None:
        embedded.web.answers["a.example"] = [["93.184.216.34"], ["127.0.0.1"]]
        site.pages["/"] = redirect("/again")
        site.pages["/again"] = answer(PAGE)
        assert await preview(embedded, "http://a.example/") is None
        assert embedded.web.connected == ["93.184.216.34"]

    async def test_one_private_address_among_public_ones_is_enough(
        self, embedded: Stage, site: Site
    ) -> None:
        embedded.web.answers["a.example"] = [["93.184.216.34", "10.0.0.1"]]
        site.pages["/"] = answer(PAGE)
        assert await preview(embedded, "http://a.example/") is None
        assert embedded.web.connected == []

    async def test_what_was_resolved_is_what_is_connected_to(
        self, embedded: Stage, site: Site
    ) -> None:
        embedded.web.answers["a.example"] = [["93.184.216.34"]]
        site.pages["/"] = answer(b"<title>here</title>")
        assert await preview(embedded, "http://a.example/") is not None
        assert embedded.web.connected == ["93.184.216.34"]

    @pytest.mark.parametrize(
        "address",
        [
            *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8"),
            *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1"),
            *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"),
            *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
            "168.63.129.16",
            *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1"),
            *("64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378::1"),
            *("2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1"),
            *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
            *("5f00::1", "2606:4700::1%1", "", "localhost", "1.2.3", "8.8.8.8/32"),
        ],
    )
    def test_what_is_nobodys_page(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize(
        "address", ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111"]
    )
    def test_what_may_be(self, address: str) -> None:
        assert is_public(address)

    async def test_the_real_resolver_knows_this_machine(self) -> None:
        addresses = SystemAddresses()
        assert not any(map(is_public, await addresses.resolve("localhost", 80)))
        assert await addresses.resolve("2130706433", 80) == ["127.0.0.1"]
        assert await addresses.resolve("no-such-name.invalid", 80) == []
        assert await addresses.resolve("a" * 64 + ".example", 80) == []

    async def test_the_real_network_does_not_reach_this_machine(self) -> None:
        async with open_stage() as stage, open_site(stage) as site:
            web = PublicWeb(Workshop(), sniff, PublicNetwork(SystemAddresses()))
            for host in (
                "localhost",
                "127.0.0.1",
                "[::1]",
                "2130706433",
                "0x7f.1",
                "[::ffff:7f00:1]",
            ):
                assert await web.page(f"http://{host}/") is None
            assert site.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "//a.example/",
        "a.example",
        "http://",
        "http:///x",
        "http://a.example:0/",
        "http://a.example:22/",
        "http://a.example:99999/",
        "http://user@a.example/",
        "http://:word@a.example/",
        "http://a.example/\r\nHost: b",
        "http://a b/",
        "http://a.example/" + "x" * 2048,
        "http://" + "a" * 300 + "/",
        "http://a..example/",
        "http://a_b%41/",
        "http://[::1/",
        "http://\u2100.example\ud800/",
        "",
    ],
)
async def test_what_is_no_public_link_is_not_looked_at(embedded: Stage, url: str) -> None:
    assert public_link(url) is None
    if "\ud800" not in url:
        assert await preview(embedded, url) is None
    assert embedded.web.connected == []
