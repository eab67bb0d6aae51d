"""Questions and answers: how long an answer may take, and how both look in bytes.

Shared by the adapters, so that the same question fails the same way on every bus.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import msgspec
import structlog

from sidetone.bus.meters import ANSWER_SECONDS
from sidetone.protocol.questions import Question
from sidetone.protocol.refusals import Invalid, Problem, Refusal, Unavailable, refusal_of
from sidetone.telemetry.metrics import Timed

ANSWER_SECONDS_MAX = 2.0
# Answers that one process works on at once, of all kinds; more are refused at once.
ANSWERS_MAX = 256

A = TypeVar("A")

Answerer = Callable[[Any], Awaitable[Any]]

encode = msgspec.msgpack.encode
# What decoding raises on garbage: text that is not UTF-8 and deep nesting have their own ways.
UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)

log = structlog.get_logger(__name__)


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer in its own encoding (nil where there is nothing to say), or the refusal."""

    answer: msgspec.Raw = msgspec.Raw(b"\xc0")
    problem: Problem | None = None


def nobody_answers(subject: str) -> Unavailable:
    """Return the refusal of a question that has no answerer."""
    return Unavailable(
        "nobody_answers", f"nobody answers {subject} now; try again when the service has started"
    )


def answer_late(subject: str) -> Unavailable:
    """Return the refusal of a question whose answer did not come in time."""
    return Unavailable(
        "answer_late", f"no answer to {subject} within {ANSWER_SECONDS_MAX:g} s; try again later"
    )


def too_many_questions(subject: str) -> Unavailable:
    """Return the refusal of a question that finds every place taken."""
    return Unavailable(
        "bus_busy", f"too many questions are open to ask {subject}; try again later"
    )


async def answer_in_time(question: Question[Any], answerer: Answerer) -> object:
    """Return what *answerer* says. Raises its ``Refusal``, or ``Unavailable``.

    Any other exception is a bug of the answerer: it is logged here and the asker learns no more
    than that it happened.
    """
    try:
        with Timed(ANSWER_SECONDS.labels(question.subject)):
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await answerer(question)
    except Refusal:
        raise
    except TimeoutError as error:
        raise answer_late(question.subject) from error
    except Exception as error:
        log.exception("answerer_failed", subject=question.subject)
        detail = f"{question.subject} could not be answered; the answering service logged why"
        raise Unavailable("answer_failed", detail) from error


async def reply_to(kind: type[Question[Any]], answerer: Answerer, question: bytes) -> bytes:
    """Return the encoded ``Reply`` to an encoded question; raises nothing."""

    async def encoded(asked: Question[Any]) -> msgspec.Raw:
        return msgspec.Raw(encode(await answerer(asked)))

    try:
        asked = msgspec.msgpack.decode(question, type=kind)
        answer = cast("msgspec.Raw", await answer_in_time(asked, encoded))
    except UNREADABLE as error:
        return refuse(Invalid("question_malformed", f"{kind.subject} cannot be read: {error}"))
    except Refusal as refusal:
        return refuse(refusal)
    return encode(Reply(answer=answer))


def refuse(refusal: Refusal) -> bytes:
    """Return the encoded ``Reply`` that carries *refusal*."""
    return encode(Reply(problem=refusal.problem()))


def answer_in(reply: bytes, question: Question[A]) -> A:
    """Return the answer that an encoded ``Reply`` carries. Raises the ``Refusal`` in it.

    A reply that cannot be read comes from another version: ``Unavailable``.
    """
    try:
        answer = require_success(reply)
        return cast("A", msgspec.msgpack.decode(answer, type=question.answer_type))
    except UNREADABLE as error:
        detail = f"the answer to {question.subject} cannot be read: {error}"
        raise Unavailable("answer_malformed", detail) from error


def require_success(reply: bytes) -> msgspec.Raw:
    """Return what an encoded ``Reply`` carries. Raises the ``Refusal`` in it."""
    read = msgspec.msgpack.decode(reply, type=Reply)
    if read.problem is not None:
        raise refusal_of(read.problem)
    return read.answer
