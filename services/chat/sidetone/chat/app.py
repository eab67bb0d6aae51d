"""Chat, wired: give it its surroundings, get its routes."""

from importlib.resources import files

import msgspec
from litestar import Router

from sidetone.bus import Bus
from sidetone.chat.application.accept_invite import AcceptInvite
from sidetone.chat.application.announce_rights import AnnounceRights
from sidetone.chat.application.create_channel import CreateChannel
from sidetone.chat.application.create_invite import CreateInvite
from sidetone.chat.application.create_server import CreateServer
from sidetone.chat.application.list_channels import ListChannels
from sidetone.chat.application.list_members import ListMembers
from sidetone.chat.application.list_servers import ListServers
from sidetone.chat.application.remove_member import RemoveMember
from sidetone.chat.application.set_overwrite import SetOverwrite
from sidetone.chat.application.what_may_user_do import WhatMayUserDo
from sidetone.chat.infrastructure.sql import SqlServers
from sidetone.chat.infrastructure.sql_changes import SqlChanges
from sidetone.chat.interface.http import UseCases, routes
from sidetone.chat.interface.questions import answer_questions
from sidetone.credentials.limits import Limit, Limiter
from sidetone.runtime.clock import Clock
from sidetone.storage import Database
from sidetone.storage.migrations import migrate


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two deployments of chat."""

    invites_per_address: Limit = Limit(count=10, period_ms=60_000)


DEFAULT_POLICY = Policy()


async def build(
    database: Database, bus: Bus, clock: Clock, policy: Policy = DEFAULT_POLICY
) -> Router:
    """Return the routes of chat; its tables are brought up to date first.

    The caller owns *database* and *bus* and closes them.
    """
    await migrate(database, "chat", files("sidetone.chat") / "migrations")
    servers = SqlServers(database)
    changes = SqlChanges(database)
    announce = AnnounceRights(bus)
    await answer_questions(bus, WhatMayUserDo(servers))
    use_cases = UseCases(
        create_server=CreateServer(servers, changes, clock),
        list_servers=ListServers(servers),
        create_channel=CreateChannel(changes, clock),
        list_channels=ListChannels(servers),
        list_members=ListMembers(servers),
        remove_member=RemoveMember(changes, announce),
        create_invite=CreateInvite(changes, clock),
        accept_invite=AcceptInvite(servers, changes, announce, clock),
        set_overwrite=SetOverwrite(servers, changes, announce),
    )
    return routes(use_cases, Limiter(policy.invites_per_address), clock)
