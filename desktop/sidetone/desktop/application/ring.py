"""Call the others of a conversation, and answer, turn down or take back such a call."""

from collections.abc import Iterable

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.voice_call import VoiceCall
from sidetone.protocol.calls import Call
from sidetone.protocol.ids import ChannelId


async def call_channel(voice: VoiceCall, account: Account, channel: ChannelId) -> None:
    """Ring the others of *channel* and wait in its call; where one goes on, join it."""
    await account.client.api.voice.call(channel)
    await voice.join(account, channel)


async def accept_call(voice: VoiceCall, account: Account, call: Call) -> None:
    """Take a call, and leave the one we are in."""
    await account.client.api.voice.accept(call.id)
    await voice.join(account, call.channel)


async def decline_call(account: Account, call: Call) -> None:
    """Turn a call down on all our devices."""
    await account.client.api.voice.decline(call.id)


async def hang_up(voice: VoiceCall) -> None:
    """Leave the call; one of ours that nobody has answered rings no more."""
    account, channel = voice.account, voice.channel
    call = account.knowledge.calls.get(channel) if account and channel else None
    await voice.leave()
    if account is not None and call is not None and is_outgoing(account, call):
        await account.client.api.voice.cancel(call.id)


def is_outgoing(account: Account, call: Call) -> bool:
    """Tell whether we wait for the first answer to a call of ours."""
    return call.caller == account.id and call.answered_at_ms is None


def incoming_calls(accounts: Iterable[Account]) -> list[tuple[Account, Call]]:
    """Return the calls that ring us, the earliest first."""
    ringing = [
        (account, call)
        for account in accounts
        for call in account.knowledge.calls.values()
        if account.id in call.ringing
    ]
    return sorted(ringing, key=lambda each: each[1].started_at_ms)
