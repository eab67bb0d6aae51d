"""What the bus and the journal count, whichever adapter carries them."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sidetone.protocol.refusals import Refusal
from sidetone.telemetry.metrics import counter, gauge, seconds

PUBLISHED: Final = counter(
    "sidetone_bus_published_total", "Events announced by this process.", "subject"
)
HANDLED: Final = counter(
    "sidetone_bus_handled_total", "Events that a handler here has taken.", "subject"
)
FAILURES: Final = counter(
    "sidetone_bus_failures_total", "Events that a handler here has failed at.", "subject"
)
DROPPED: Final = counter(
    "sidetone_bus_dropped_total", "Events that a handler here was too slow for.", "subject"
)
HANDLE_SECONDS: Final = seconds(
    "sidetone_bus_handle_seconds", "Time that a handler takes for an event.", "subject"
)
QUESTIONS: Final = counter(
    "sidetone_bus_questions_total",
    "Questions asked by this process; the outcome is answered, or the kind of the refusal.",
    "subject",
    "outcome",
)
QUESTION_SECONDS: Final = seconds(
    "sidetone_bus_question_seconds", "Time from a question to its answer, at who asks.", "subject"
)
ANSWER_SECONDS: Final = seconds(
    "sidetone_bus_answer_seconds", "Time that an answer takes, at who answers.", "subject"
)
RECORDED: Final = counter(
    "sidetone_journal_recorded_total", "Facts that this process put into the journal."
)
FACTS_HANDLED: Final = counter(
    "sidetone_journal_handled_total", "Facts that a follower here has taken.", "follower"
)
FACT_FAILURES: Final = counter(
    "sidetone_journal_failures_total", "Facts that a follower here has failed at.", "follower"
)
FACT_RETRIES: Final = counter(
    "sidetone_journal_retries_total", "Times that a fact had to be told again.", "follower"
)
FACT_SECONDS: Final = seconds(
    "sidetone_journal_handle_seconds", "Time that a follower takes for a fact.", "follower"
)
FACT_DELAY: Final = seconds(
    "sidetone_journal_delay_seconds",
    "Time from the moment a fact was made to its turn at a follower.",
    "follower",
)
PENDING: Final = gauge(
    "sidetone_journal_pending", "Facts that wait in the journal for a follower here.", "follower"
)


@contextmanager
def asking(subject: str) -> Generator[None]:
    """Count a question, and how it ended."""
    began, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "answered"
    except Refusal as refusal:
        outcome = refusal.kind
        raise
    finally:
        QUESTIONS.labels(subject, outcome).inc()
        QUESTION_SECONDS.labels(subject).observe(time.perf_counter() - began)


def name_of(handler: object) -> str:
    """Return how a follower is called in metrics.

    >>> name_of(asking)
    'asking'
    """
    name = getattr(handler, "__qualname__", type(handler).__qualname__)
    return str(name).replace(".<locals>", "").lstrip("_")
