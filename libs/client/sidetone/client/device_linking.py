"""One user, several devices: how a further one gets the user's key, and how it comes back.

Without this a second device is another identity to everybody who verified the first.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, TypeVar
from uuid import UUID

from sidetone.client.api import Api
from sidetone.client.keystore import KeyStore
from sidetone.e2ee import linking
from sidetone.e2ee.rejected import Rejected
from sidetone.protocol.ids import DeviceId
from sidetone.protocol.refusals import Invalid

T = TypeVar("T")

_LOOK_SECONDS: Final = 1.0


class DeviceLinking:
    """What a device of an account can do about the others; made by ``Client.linking``."""

    def __init__(self, api: Api, keys: KeyStore) -> None:
        self._api = api
        self._keys = keys
        self._code = ""

    async def ask(self) -> str:
        """Wait to be linked from now on, for ten minutes; return the code to show, or as a QR."""
        self._code = linking.new_code(secrets.token_bytes)
        own = self._keys.identity
        asked = linking.ask(self._code, own.user, own.device, own.dk)
        await self._api.accounts.ask_link(self._keys.device, asked)
        return self._code

    async def linked(self) -> None:
        """Return when the other device has answered and this one holds the user's key.

        Raises ``NotFound`` when nobody did in time, ``Invalid`` for an answer that is not from
        somebody who knows the code.
        """
        given = None
        while given is None:
            await asyncio.sleep(_LOOK_SECONDS)
            given = (await self._api.accounts.link_state(self._keys.device)).give
        sealed = given
        seed = _checked(lambda: linking.take(self._code, self._keys.identity, sealed))
        await self._adopt(seed)

    async def give(self, code: str) -> DeviceId:
        """Give the device of ours that shows *code* the user's key; return which one it is.

        Raises ``Invalid`` when it is no code, or none of those that wait shows it.
        """
        _checked(lambda: linking.key_of(code))
        refusal = Invalid("link_code_wrong", "no device of yours waits; show a new code on it")
        for asked in await self._api.accounts.links_asked():
            try:
                given = linking.give(
                    code, self._keys.identity, asked.device.bytes, asked.device_key, asked.ask
                )
            except Rejected as rejected:
                refusal = Invalid(rejected.code, rejected.detail)
                continue
            await self._api.accounts.answer_link(asked.device, given)
            return asked.device
        raise refusal

    def phrase(self) -> str:
        """Return the 24 words that bring the user's key back; whoever has them is the user."""
        return linking.phrase_of(self._keys.identity)

    async def restore(self, phrase: str) -> None:
        """Take the user's key from its 24 words. Raises ``Invalid`` for words that are wrong."""
        await self._adopt(_checked(lambda: linking.seed_of(phrase)))

    async def _adopt(self, seed: bytes) -> None:
        await self._keys.adopt(seed)
        device = DeviceId(UUID(bytes=self._keys.identity.device))
        await self._api.accounts.register_device(device, self._keys.public_keys())


def _checked(take: Callable[[], T]) -> T:
    try:
        return take()
    except Rejected as rejected:
        raise Invalid(rejected.code, rejected.detail) from None
