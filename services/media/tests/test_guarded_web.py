"""Where previews never look: redirects, addresses and links that lead inside."""

import pytest

from services.media.tests.site import PAGE, Site, answer, open_site, preview, redirect
from services.media.tests.stage import Stage, open_stage, picture
from sidetone.media.domain.links import public_link
from sidetone.media.infrastructure.sniffing import sniff
from sidetone.media.infrastructure.web import PublicWeb
from sidetone.media.infrastructure.workshop import Workshop
from sidetone.runtime.public_addresses import is_public
from sidetone.runtime.public_network import PublicNetwork, SystemAddresses


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
