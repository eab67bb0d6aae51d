import pytest
from valkey import Valkey

from sidetone.protocol.refusals import Unavailable
from sidetone.storage import StorageError
from sidetone.storage.valkey import ValkeyKeyValue
from tests import engines


async def test_an_absent_server_is_told_without_the_password() -> None:
    with pytest.raises(StorageError, match="check that the server runs") as told:
        await ValkeyKeyValue.open("valkey://:hunter2@127.0.0.1:1/0")
    assert "hunter2" not in str(told.value)


async def test_the_url_of_something_else_is_told() -> None:
    with pytest.raises(StorageError, match="not the URL of a Valkey server"):
        await ValkeyKeyValue.open("http://127.0.0.1:1/0")


async def test_a_dropped_connection_costs_at_most_one_request() -> None:
    store = await ValkeyKeyValue.open(engines.valkey_url())
    await store.put("key", b"value", lifetime_seconds=60)
    with Valkey.from_url(engines.valkey_url()) as client:
        client.client_kill_filter(_type="normal", skipme=True)
    try:
        await store.get("key")
    except Unavailable as refusal:
        assert refusal.code == "keyvalue_unavailable"  # noqa: PT017
    assert await store.get("key") == b"value"
    await store.close()
