"""What a newcomer does first."""

from desktop.tests.stage import Stage
from sidetone.protocol.ids import ChannelId


async def test_two_people_meet_and_write(stage: Stage) -> None:
    nova = await stage.client("nova")
    home = await nova.api.servers.create("Apex Squad")
    general = next(c for c in await nova.api.channels.of(home.id) if c.kind == "text")
    invite = await nova.api.servers.invite(home.id)
    bolt = await stage.window("bolt")
    await bolt.register("bolt")
    account = await nova.api.accounts.user_named("bolt")
    assert account.name == "bolt"
    await nova.api.messages.send(ChannelId(general.id), "hello from nova")
    assert invite.code
    assert not bolt.process.unhappy()
