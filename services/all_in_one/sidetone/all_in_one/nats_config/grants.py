"""Permissions of users on NATS: the least that does what ``uses`` found."""

from typing import Final

import msgspec

from sidetone.all_in_one.nats_config.uses import Uses
from sidetone.bus.access import inbox_of
from sidetone.bus.events_stream import STREAM as EVENTS
from sidetone.bus.events_stream import SUBJECTS as EVENT_SUBJECTS
from sidetone.bus.facts_stream import STREAM as FACTS
from sidetone.bus.facts_stream import subject_of
from sidetone.protocol.events import Services

_API: Final = "$JS.API"


class Grant(msgspec.Struct, frozen=True):
    """What one user may publish and subscribe to; *answers*: also one reply to each question."""

    publish: list[str]
    subscribe: list[str]
    answers: bool = False


def for_service(name: str, uses: Uses) -> Grant:
    """Return what a service may do. Making a stream that exists changes nothing in it."""
    publish = {*uses.asks, *uses.publishes}
    if uses.records:
        publish.add("facts.>")
    if uses.follows_all or uses.follows_services or uses.places:
        publish |= {f"{_API}.STREAM.{what}.{FACTS}" for what in ("INFO", "CREATE")}
    if uses.follows_services or uses.follows_all:
        publish.add(f"{_API}.CONSUMER.MSG.NEXT.{FACTS}.*")
    if uses.follows_services:
        publish.add(f"{_API}.CONSUMER.CREATE.{FACTS}.*.{subject_of(Services())}")
    if uses.follows_all:
        publish.add(f"{_API}.CONSUMER.CREATE.{FACTS}.*")
    for place in uses.places:
        publish |= {
            f"{_API}.CONSUMER.CREATE.{FACTS}.{place}",
            f"{_API}.CONSUMER.MSG.NEXT.{FACTS}.{place}",
            f"$JS.ACK.{FACTS}.{place}.>",
        }
    subscribe = {*uses.answers, *uses.hears, f"{inbox_of(name)}.>"}
    return Grant(sorted(publish), sorted(subscribe), answers=bool(uses.answers))


def for_publisher(name: str) -> Grant:
    """Return what the writer of the public stream may do in the account of integrators."""
    publish = [EVENT_SUBJECTS, *(f"{_API}.STREAM.{what}.{EVENTS}" for what in ("INFO", "CREATE"))]
    return Grant(publish, [f"{inbox_of(name)}.>"])


def for_steward(name: str) -> Grant:
    """Return what may be done to the public stream and its places, by who admits integrators."""
    publish = [
        *(f"{_API}.STREAM.{what}.{EVENTS}" for what in ("INFO", "CREATE", "UPDATE")),
        f"{_API}.CONSUMER.*.{EVENTS}",
        f"{_API}.CONSUMER.*.{EVENTS}.>",
        f"{_API}.CONSUMER.DURABLE.CREATE.{EVENTS}.*",
    ]
    return Grant(publish, [f"{inbox_of(name)}.>"])


def for_keeper(name: str) -> Grant:
    """Return what may be done to the journal, by who says how many copies there are of it."""
    publish = [f"{_API}.STREAM.{what}.{FACTS}" for what in ("INFO", "UPDATE")]
    return Grant(publish, [f"{inbox_of(name)}.>"])


def for_system(name: str) -> Grant:
    """Return what changes an account while the server runs."""
    return Grant(["$SYS.REQ.CLAIMS.UPDATE"], [f"{inbox_of(name)}.>"])


def for_integrator(name: str, place: str) -> Grant:
    """Return what an integrator may do: take from its own *place* in the one stream.

    It makes no place itself: with one it could have the server deliver anywhere.
    """
    publish = [
        f"{_API}.CONSUMER.INFO.{EVENTS}.{place}",
        f"{_API}.CONSUMER.MSG.NEXT.{EVENTS}.{place}",
        f"$JS.ACK.{EVENTS}.{place}.>",
    ]
    return Grant(publish, [f"{inbox_of(name)}.>"])
