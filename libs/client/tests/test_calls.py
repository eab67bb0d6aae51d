import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from libs.client.tests.stage import (
    PASSWORD,
    Home,
    in_step,
    pitch,
    saying,
    tone,
)
from sidetone.audio.devices import NullMicrophone, NullSpeaker
from sidetone.audio.settings import Activation, VoiceSettings
from sidetone.audio.tracks import Track
from sidetone.client import events
from sidetone.client.call import Call
from sidetone.client.client import Client
from sidetone.client.recording import Recording
from sidetone.credentials.tickets import Perm
from sidetone.e2ee.trust import Shield
from sidetone.permissions import Permission
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from tests.waiting import until


async def test_two_members_hear_each_other(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        at_ada, at_ben = Recording(), Recording()
        async with (
            ada.join_voice(lounge.id, hear=at_ada) as call_a,
            ben.join_voice(lounge.id, hear=at_ben) as call_b,
        ):
            await in_step(call_a, call_b)
            await asyncio.gather(call_a.play(tone(440, 2)), call_b.play(tone(660, 2)))
            await until(
                lambda: len(at_ada.of(ben.user.id)) > 150 and len(at_ben.of(ada.user.id)) > 150
            )
            assert call_a.steps.first_audio_ms is not None
            assert [peer.user for peer in call_a.peers] == [ben.user.id]
            assert call_a.safety_number(ben.user.id) == call_b.safety_number(ada.user.id)
            assert call_b.stats().frames_opened > 150
    assert pitch(at_ben.of(ada.user.id)) == pytest.approx(440, abs=6)
    assert pitch(at_ada.of(ben.user.id)) == pytest.approx(660, abs=6)


async def test_a_third_hears_at_once_and_its_leaving_changes_the_keys(home: Home) -> None:
    async with home.unit():
        ada, ben, cy = [await home.client() for _ in range(3)]
        lounge = await home.lounge(ada, ben, cy)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            told = call_a.events()
            async with saying(call_a):
                async with cy.join_voice(lounge.id) as call_c:
                    await asyncio.wait_for(call_c.heard(ada.user.id), 10)
                    await in_step(call_a, call_b, call_c)
                    joined = call_a.epoch
                await in_step(call_a, call_b)
                await asyncio.wait_for(call_b.heard(ada.user.id), 10)
            assert joined is not None
            assert call_a.epoch is not None
            assert call_a.epoch > joined
        kinds = [type(event) async for event in told]
        assert kinds.index(events.PeerJoined) < kinds.index(events.PeerLeft)
        assert kinds[-1] is events.CallEnded


async def test_a_removed_member_is_out_and_the_others_talk_on(home: Home) -> None:
    async with home.unit():
        ada, ben, cy = [await home.client() for _ in range(3)]
        lounge = await home.lounge(ada, ben, cy)
        async with (
            ada.join_voice(lounge.id) as call_a,
            ben.join_voice(lounge.id) as call_b,
            cy.join_voice(lounge.id) as call_c,
        ):
            await in_step(call_a, call_b, call_c)
            ended = asyncio.create_task(call_c.wait_for(events.CallEnded))
            async with saying(call_a):
                await call_c.heard(ada.user.id)
                await ada.api.members.remove(lounge.server, cy.user.id)
                assert (await asyncio.wait_for(ended, 10)).code == "rights_lost"
                opened = call_c.stats().frames_opened
                await in_step(call_a, call_b)
                await asyncio.wait_for(call_b.heard(ada.user.id), 10)
            assert call_c.stats().frames_opened == opened
            assert call_c.state == "ended"
            with pytest.raises(Conflict):
                await call_c.heard(ada.user.id)


async def test_a_right_that_is_taken_silences_and_is_told(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            changed = asyncio.create_task(call_b.wait_for(events.RightsChanged))
            await ada.api.channels.overwrite(lounge.id, ben.user.id, deny=Permission.SPEAK)
            await asyncio.wait_for(changed, 10)
            assert Perm.SPEAK not in call_b.rights
            await call_b.play(tone(440, 0.3))
            assert call_b.stats().frames_not_sent["no_right_to_speak"] > 0


async def test_who_is_muted_is_known_and_who_is_deafened_hears_nothing(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            told = asyncio.create_task(call_a.wait_for(events.PeerStateChanged))
            await asyncio.sleep(0)
            call_b.set_deafened(True)
            assert (await asyncio.wait_for(told, 10)).peer.deafened
            opened = call_b.stats().frames_opened
            await call_a.play(tone(440, 0.5))
            assert call_b.stats().frames_opened == opened
            call_b.set_deafened(False)
            await until(lambda: not call_a.peers[0].deafened)
            async with saying(call_a):
                await asyncio.wait_for(call_b.heard(ada.user.id), 10)


async def test_a_volume_holds_for_a_user_who_comes_later(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        decoded, played = Recording(), Track()
        speaker = NullSpeaker(track=played)
        async with ben.join_voice(lounge.id, speaker=speaker, hear=decoded) as call_b:
            call_b.set_volume(ada.user.id, 0)
            async with ada.join_voice(lounge.id) as call_a:
                await in_step(call_a, call_b)
                await call_a.play(tone(440, 0.5))
                await until(lambda: len(decoded.of(ada.user.id)) > 30)
    assert float(np.abs(decoded.of(ada.user.id).samples()).max()) > 0.02
    assert float(np.abs(played.samples()).max()) < 0.001


async def test_whoever_mutes_in_mid_word_is_heard_to_the_end(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            async with saying(call_a):
                await call_b.heard(ada.user.id)
                call_a.set_muted(True)
                await until(lambda: call_b.peers[0].muted)
            await until(lambda: call_a.stats().engine.packets_sent == arrived(call_b))


async def test_a_key_opens_the_microphone_and_devices_change_in_mid_call(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        voice = VoiceSettings(activation=Activation.PUSH_TO_TALK)
        async with (
            ada.join_voice(lounge.id, voice=voice) as call_a,
            ben.join_voice(lounge.id) as call_b,
        ):
            await in_step(call_a, call_b)
            await call_a.play(tone(440, 0.5))
            assert call_a.stats().engine.packets_sent == 0
            call_a.push_to_talk(True)
            await asyncio.wait_for(call_b.heard(ada.user.id), 10)
            call_a.push_to_talk(False)
            played = Track()
            speaker = NullSpeaker(track=played)
            call_a.use_devices(NullMicrophone(), speaker)
            call_a.set_voice(VoiceSettings(activation=Activation.ALWAYS, frame_ms=20))
            call_a.set_sidetone(100)
            await until(lambda: call_a.stats().engine.speaker == speaker.name)
            await until(lambda: len(played) > 20)


def arrived(call: Call) -> int:
    """Count what came, also what was sealed before the listener was in the group."""
    stats = call.stats()
    return stats.frames_opened + stats.frames_refused.get("frame_unknown", 0)


async def test_speakers_are_announced_from_first_to_last_word(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            told = call_b.events()
            await call_a.play(tone(440, 0.5))
            await until(lambda: call_b.stats().frames_opened > 0)
            async with asyncio.timeout(10):
                seen = [event async for event in first_two(told)]
            assert seen == [
                events.SpeakerStarted(ada.user.id),
                events.SpeakerStopped(ada.user.id),
            ]


async def first_two(told: AsyncIterator[events.Event]) -> AsyncIterator[events.Event]:
    count = 0
    async for event in told:
        if isinstance(event, events.SpeakerStarted | events.SpeakerStopped):
            yield event
            count += 1
        if count == 2:
            return


async def test_the_same_device_elsewhere_takes_the_call_over(home: Home, tmp_path: Path) -> None:
    async with home.unit():
        ada = await home.client(data_dir=tmp_path / "shared")
        lounge = await home.lounge(ada)
        async with Client(home.address, data_dir=tmp_path / "shared") as twin:
            await twin.log_in("user1", PASSWORD)
            assert twin.device == ada.device
            async with ada.join_voice(lounge.id) as first:
                ended = asyncio.create_task(first.wait_for(events.CallEnded))
                async with twin.join_voice(lounge.id) as second:
                    assert (await asyncio.wait_for(ended, 10)).code == "device_replaced"
                    assert second.state == "live"


async def test_a_changed_identity_holds_the_microphone_until_it_is_confirmed(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            assert call_a.peers[0].shield is Shield.KNOWN
            call_a.verify(ben.user.id)
            await until(lambda: call_a.peers[0].shield is Shield.VERIFIED)
        ada._open_keystore().trust.confirm(ben.user.id.bytes, bytes(32))
        async with ada.join_voice(lounge.id) as call_a:
            changed = asyncio.create_task(call_a.wait_for(events.IdentityChanged))
            async with ben.join_voice(lounge.id):
                assert (await asyncio.wait_for(changed, 10)).user == ben.user.id
                assert call_a.peers[0].shield is Shield.CHANGED
                await call_a.play(tone(440, 0.3))
                assert call_a.stats().frames_not_sent["identity_changed"] > 0
                call_a.confirm(ben.user.id)
                assert call_a.peers[0].shield is Shield.KNOWN
                assert not call_a.member.held


async def test_a_node_that_is_not_the_one_of_the_ticket_gets_no_ticket(home: Home) -> None:
    rogue_keys = Identity.open(home.folder / "rogue", ["localhost"], SystemClock().now_ms())
    async with home.unit(), AsyncExitStack() as stack:
        rogue = await stack.enter_async_context(Home.stray_unit(rogue_keys))
        ada = await home.client(route=lambda host, _: (host, rogue.port))
        lounge = await home.lounge(ada)
        with pytest.raises(Unauthenticated) as caught:
            async with ada.join_voice(lounge.id):
                pytest.fail("the call must not begin")
        assert caught.value.code == "server_key_wrong"


async def test_a_channel_that_is_not_for_us_is_refused_in_one_line(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada)
        with pytest.raises((NotFound, Forbidden)) as caught:
            async with ben.join_voice(lounge.id):
                pytest.fail("the call must not begin")
        assert "\n" not in str(caught.value)


async def test_clips_that_cannot_be_played_are_refused(home: Home, tmp_path: Path) -> None:
    async with home.unit():
        ada = await home.client()
        lounge = await home.lounge(ada)
        async with ada.join_voice(lounge.id) as call:
            with pytest.raises(Invalid) as caught:
                await call.play(tmp_path / "missing.wav")
            assert "missing.wav" in caught.value.detail
        async with ada.join_voice(lounge.id, microphone=NullMicrophone()) as call:
            with pytest.raises(Conflict):
                await call.play(tone(440, 0.1))


async def test_channels_are_found_by_name_path_or_id(home: Home) -> None:
    ada = await home.client()
    lounge = await home.lounge(ada)
    for name in ("Lounge", "Crew/Lounge", str(lounge.id)):
        assert (await ada.find_channel(name)).id == lounge.id
    with pytest.raises(NotFound):
        await ada.find_channel("Attic")
    await ada.api.channels.create(lounge.server, "Lounge", "voice")
    with pytest.raises(Invalid) as caught:
        await ada.find_channel("Lounge")
    assert caught.value.code == "channel_ambiguous"


async def test_no_secret_reaches_the_log(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call, ben.join_voice(lounge.id):
            await call.play(tone(440, 0.3))
            login = ada._requests.login
            identity = ada._open_keystore().identity
            assert login is not None
            secrets = [
                PASSWORD,
                login.access_token,
                login.refresh_token,
                identity.user_seed.hex(),
                repr(identity.user_seed)[2:-1],
                repr(call.member.frame_key(call.sender or 0))[2:-1],
            ]
            shown = f"{ada!r} {call!r} {call.stats()!r} {call.participants!r} {call.peers!r}"
    told = caplog.text + shown
    assert [secret for secret in secrets if secret in told] == []
