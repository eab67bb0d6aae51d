"""What every service stands on, and does not choose itself."""

import msgspec

from sidetone.bus import Bus, Journal
from sidetone.bus.tasks import Tasks
from sidetone.runtime.clock import Clock
from sidetone.storage import Database, KeyValue


class Surroundings(msgspec.Struct, frozen=True):
    """Given to each service's ``build``; whoever gives it closes it afterwards, *tasks* first.

    *tasks* are what a service does beside answering: relays, followers, sweeps.
    """

    database: Database
    store: KeyValue
    bus: Bus
    journal: Journal
    clock: Clock
    tasks: Tasks
