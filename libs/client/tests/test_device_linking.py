"""A second device of one user, through a server that only relays."""

from pathlib import Path

import pytest

from libs.client.tests.stage import Home
from sidetone.client.client import Client
from sidetone.protocol.refusals import Invalid, NotFound

PASSWORD = "seven quiet herons at dawn"


async def on_two_devices(home: Home, folder: Path) -> tuple[Client, Client]:
    first, second = (Client(home.address, data_dir=folder / name) for name in ("one", "two"))
    await first.register("ada", PASSWORD)
    await second.log_in("ada", PASSWORD)
    return first, second


def key_of(client: Client) -> bytes:
    keys = client._keys
    assert keys is not None
    return keys.identity.uik


async def test_a_code_makes_the_second_device_the_same_user(home: Home, tmp_path: Path) -> None:
    first, second = await on_two_devices(home, tmp_path)
    async with first, second:
        assert key_of(first) != key_of(second)
        for wrong in ("", "AAAA-BBBB", "let me in, please!", "AAAA-BBBB-CCCC-DDD1"):
            with pytest.raises(Invalid, match="link_code_malformed"):
                await first.linking.give(wrong)
        with pytest.raises(Invalid, match="no device of yours waits"):
            await first.linking.give("AAAA-BBBB-CCCC-DDDD")
        waiting = second.linking
        code = await waiting.ask()
        with pytest.raises(Invalid, match="link_code_wrong"):
            await first.linking.give("AAAA-BBBB-CCCC-DDDD")
        await first.linking.give(code)
        # A code is good once, also while the second device has not looked yet.
        with pytest.raises(Invalid, match="no device of yours waits"):
            await first.linking.give(code)
        with pytest.raises(NotFound, match="link_unknown"):
            await first.api.accounts.answer_link(second.device, bytes(96))
        before = second.device
        await waiting.linked()
        assert key_of(first) == key_of(second)
        assert second.device != before
        known = {each.id: each.identity_key for each in await first.api.accounts.devices()}
        assert known[second.device] == key_of(first)
    again = Client(home.address, data_dir=tmp_path / "two")
    async with again:
        await again.log_in("ada", PASSWORD)
        assert (again.device, key_of(again)) == (second.device, key_of(first))


async def test_the_phrase_brings_the_key_back(home: Home, tmp_path: Path) -> None:
    first, second = await on_two_devices(home, tmp_path)
    async with first, second:
        phrase = first.linking.phrase()
        with pytest.raises(Invalid, match="phrase_wrong"):
            await second.linking.restore(phrase.rsplit(" ", 1)[0])
        await second.linking.restore(phrase)
        assert key_of(first) == key_of(second)


async def test_who_does_not_wait_is_not_answered(home: Home, tmp_path: Path) -> None:
    first, second = await on_two_devices(home, tmp_path)
    async with first, second:
        with pytest.raises(NotFound, match="link_unknown"):
            await second.linking.linked()
        stranger = Client(home.address, data_dir=tmp_path / "eve")
        async with stranger:
            await stranger.register("eve", PASSWORD)
            await second.linking.ask()
            assert await stranger.api.accounts.links_asked() == []
            with pytest.raises(NotFound, match="device_unknown"):
                await stranger.api.accounts.answer_link(second.device, bytes(96))
