"""What was asked of bots, for as long as an answer may take, in the ephemeral store."""

from typing import Final

import msgspec

from sidetone.integrations.application.ports import Open
from sidetone.protocol.ids import InvocationId
from sidetone.storage import KeyValue

# How long an answer may take that was deferred.
LIFETIME_SECONDS: Final = 900.0
_OVER: Final = b""


class StoreInvocations:
    """One key for each; of two who change one at once, one wins."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def open(self, open_: Open) -> None:
        """Remember what was asked."""
        key = _key(open_.invocation.id)
        await self._store.put(key, msgspec.msgpack.encode(open_), LIFETIME_SECONDS)

    async def find(self, invocation: InvocationId) -> Open | None:
        """Return what was asked, if it waits."""
        found = await self._store.get(_key(invocation))
        return msgspec.msgpack.decode(found, type=Open) if found else None

    async def answer(self, open_: Open, *, deferred: bool) -> bool:
        """Note that it is answered, or *deferred*; False: it is not as it was any more."""
        after = msgspec.structs.replace(open_, deferred=True)
        return await self._store.replace(
            _key(open_.invocation.id),
            msgspec.msgpack.encode(open_),
            msgspec.msgpack.encode(after) if deferred else _OVER,
            LIFETIME_SECONDS,
        )

    async def end_if_unanswered(self, invocation: InvocationId) -> bool:
        """Return whether nobody has answered; then it is over."""
        open_ = await self.find(invocation)
        return (
            open_ is not None and not open_.deferred and await self.answer(open_, deferred=False)
        )


def _key(invocation: InvocationId) -> str:
    return f"invocation:{invocation.hex}"
