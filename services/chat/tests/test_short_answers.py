"""What Typesense answers while it removes what it finds is no answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest

from sidetone.chat.infrastructure.typesense import Typesense
from sidetone.protocol.refusals import Unavailable

QUESTION = {"q": "*", "query_by": "words", "per_page": 3}


@asynccontextmanager
async def answering(*answers: tuple[int, int]) -> AsyncGenerator[Typesense]:
    """Open an engine that says in turn that it found so many, and shows so many."""
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(line for line in head.lower().splitlines() if line.startswith(b"content-le"))
        await reader.readexactly(int(size.partition(b":")[2]))
        found, shown = left.pop(0)
        result = {
            "found": found,
            "hits": [{"document": {"id": str(number)}} for number in range(shown)],
            "request_params": {"per_page": QUESTION["per_page"]},
        }
        body = msgspec.json.encode({"results": [result]})
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        writer.write(b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = Typesense.connect(f"http://127.0.0.1:{port}", "key")
    try:
        yield engine
    finally:
        await engine.close()
        server.close()
    assert not left


@pytest.mark.parametrize(("found", "shown"), [(0, 0), (2, 2), (3, 3), (9, 3)])
async def test_a_whole_answer_is_taken(found: int, shown: int) -> None:
    async with answering((found, shown)) as engine:
        assert len(await engine.ask(QUESTION)) == shown


async def test_a_question_whose_answer_lacks_something_is_asked_again() -> None:
    async with answering((9, 1), (2, 1), (2, 2)) as engine:
        assert len(await engine.ask(QUESTION)) == 2


async def test_an_engine_that_never_shows_what_it_found_is_away() -> None:
    async with answering((9, 2), (9, 0), (9, 2)) as engine:
        with pytest.raises(Unavailable):
            await engine.ask(QUESTION)
