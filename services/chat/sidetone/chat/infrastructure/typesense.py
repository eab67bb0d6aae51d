"""The only module that knows Typesense: collections of messages behind one alias.

Searches go to the alias. A collection that is filled beside the one in use takes its place in one
step, so that nobody who searches notices.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from typesense.async_.aliases import AsyncAliases
from typesense.async_.api_call import AsyncApiCall
from typesense.async_.collections import AsyncCollections
from typesense.async_.documents import AsyncDocuments
from typesense.async_.keys import AsyncKeys
from typesense.async_.multi_search import AsyncMultiSearch
from typesense.configuration import Configuration
from typesense.exceptions import ObjectAlreadyExists, ObjectNotFound
from uuid_utils.compat import uuid7

from sidetone.chat.domain.message import traits
from sidetone.chat.domain.search_query import indexed_words
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.protocol.ids import MessageId
from sidetone.protocol.refusals import Unavailable

ALIAS = "sidetone_messages"

_TIMEOUT_SECONDS = 3.0
_ASKS_MAX = 3
_LOWER_BITS = 65


class Typesense:
    """Collections whose names begin with that of their *alias*."""

    def __init__(self, api: AsyncApiCall, alias: str) -> None:
        self._api = api
        self._alias = alias
        self._collections: AsyncCollections[Any] = AsyncCollections(api)
        self._aliases = AsyncAliases(api)

    @classmethod
    def connect(cls, url: str, api_key: str, alias: str = ALIAS) -> "Typesense":
        """Return the engine at *url*; it need not be up yet."""
        place = urlsplit(url)
        node = {
            "host": place.hostname or "localhost",
            "port": place.port or (443 if place.scheme == "https" else 80),
            "protocol": place.scheme or "http",
        }
        settings = {
            "nodes": [node],
            "api_key": api_key,
            "num_retries": 0,
            "connection_timeout_seconds": _TIMEOUT_SECONDS,
        }
        return cls(AsyncApiCall(Configuration(cast("Any", settings))), alias)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.aclose()

    # --- For who writes ---

    async def current(self) -> str | None:
        """Return the collection that is searched; None where there is none."""
        try:
            name = (await self._aliases[self._alias].retrieve())["collection_name"]
        except ObjectNotFound:
            return None
        return name if await self.has(name) else None

    async def has(self, collection: str) -> bool:
        """Tell whether there is such a collection of ours."""
        return collection in await self._names()

    async def create(self) -> str:
        """Make a collection and return its name."""
        name = f"{self._alias}_{uuid7().hex}"
        facet = {"type": "string", "index": True}
        schema = {
            "name": name,
            "fields": [
                {"name": "words", "type": "string"},
                *({"name": field, **facet} for field in ("server", "root", "channel", "author")),
                {"name": "traits", "type": "string[]"},
                {"name": "position", "type": "int64"},
                {"name": "rank", "type": "int64"},
            ],
            "default_sorting_field": "position",
        }
        await self._collections.create(cast("Any", schema))
        return name

    async def use(self, collection: str) -> None:
        """Let searches go to *collection* from now on."""
        await self._aliases.upsert(self._alias, {"collection_name": collection})

    async def drop_others(self, collection: str) -> None:
        """Remove every collection of ours but this one."""
        for name in await self._names():
            if name != collection:
                # The client's own object for one collection warns of parts that nobody uses.
                path = f"{AsyncCollections.resource_path}/{name}"
                await self._api.delete(path, entity_type=dict[str, object])

    async def admit(self, search_key: str) -> None:
        """Let who has *search_key* search in collections of ours and do nothing else.

        The key that was admitted before ends. One that the engine knows already stays what it is.
        """
        keys, of_ours = AsyncKeys(self._api), f"searches {self._alias}"
        wish = {
            "value": search_key,
            "description": of_ours,
            "actions": ["documents:search"],
            "collections": [f"{self._alias}.*"],
        }
        try:
            admitted = await keys.create(cast("Any", wish))
        except ObjectAlreadyExists:
            return
        for known in (await keys.retrieve())["keys"]:
            if known["description"] == of_ours and known["id"] != admitted["id"]:
                await keys[known["id"]].delete()

    async def _names(self) -> list[str]:
        names = [one["name"] for one in await self._collections.retrieve()]
        return [name for name in names if name.startswith(f"{self._alias}_")]

    async def write(
        self, collection: str, present: Sequence[Entry], gone: Sequence[MessageId]
    ) -> None:
        """Put and remove documents. Raises ``Unavailable`` where not all of it was taken."""
        documents: AsyncDocuments[Any] = AsyncDocuments(self._api, collection)
        if present:
            answers = cast(
                "list[dict[str, object]]",
                await documents.import_(
                    cast("Any", [_document_of(entry) for entry in present]), {"action": "upsert"}
                ),
            )
            if not all(answer.get("success") for answer in answers):
                raise Unavailable("search_unavailable", "the search engine took not every message")
        if gone:
            ids = ",".join(message.hex for message in gone)
            await documents.delete({"filter_by": f"id:[{ids}]"})

    # --- For who asks ---

    async def ask(self, question: Mapping[str, object]) -> list[dict[str, object]]:
        """Return the documents that *question* finds. Raises ``Unavailable``.

        What is removed while the engine answers it counts and leaves out, above all where another
        collection takes the place of the one that is searched. Who took such an answer would
        believe that nothing comes after it, so the question is asked again.
        """
        for _ in range(_ASKS_MAX):
            answer = await self._answer({"collection": self._alias, **question})
            if len(answer.hits) == min(answer.found, answer.request_params.per_page):
                return [hit.document for hit in answer.hits]
        raise _unavailable()

    async def _answer(self, question: Mapping[str, object]) -> "_Answer":
        try:
            answers = await AsyncMultiSearch(self._api).perform(
                cast("Any", {"searches": [question]}), {}
            )
            return msgspec.convert(answers["results"][0], _Answer)
        except Exception as error:
            # Those of its transport come through as they are, and there is more than one.
            raise _unavailable() from error


class _Hit(msgspec.Struct, frozen=True):
    document: dict[str, object]


class _Asked(msgspec.Struct, frozen=True):
    per_page: int


class _Answer(msgspec.Struct, frozen=True):
    """What the engine answers; without hits it says what is wrong."""

    found: int
    hits: list[_Hit]
    request_params: _Asked


def position_of(message: MessageId) -> int:
    """Return what messages are sorted by: the upper 63 bits of the id, which begin with the time.

    Messages of one millisecond often share it (RFC 9562, 6.2: their ids count up in the lower
    bits); ``rank_of`` tells those apart.
    """
    return message.int >> _LOWER_BITS


def rank_of(message: MessageId) -> int:
    """Return what messages of one position are sorted by: the rest of the id, without its variant.

    63 bits, so that it is a positive int64.
    """
    lower = message.int & ((1 << _LOWER_BITS) - 1)
    return (lower >> 64) << 62 | lower & ((1 << 62) - 1)


def _document_of(entry: Entry) -> dict[str, object]:
    message = entry.message
    return {
        "id": message.id.hex,
        "channel": message.channel.hex,
        "server": message.server.hex,
        "root": entry.root.hex,
        "author": message.author.hex,
        "words": " ".join(indexed_words(message.text)),
        "traits": sorted(traits(message)),
        "position": position_of(message.id),
        "rank": rank_of(message.id),
    }


def _unavailable() -> Unavailable:
    return Unavailable("search_unavailable", "the search engine does not answer; try again later")
