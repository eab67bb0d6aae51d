"""Integrations, wired: give it its surroundings and the public stream, get its routes."""

import asyncio
from importlib.resources import files

import msgspec
from litestar import Router

from sidetone.integrations.application.answer_command import AnswerCommand
from sidetone.integrations.application.deliver_events import DeliverEvents
from sidetone.integrations.application.invoke_command import InvokeCommand
from sidetone.integrations.application.manage_commands import ManageCommands
from sidetone.integrations.application.manage_incoming import ManageIncoming
from sidetone.integrations.application.manage_webhooks import ManageWebhooks
from sidetone.integrations.application.ports import NoStream, Post, Stream
from sidetone.integrations.application.post_message import PostMessage
from sidetone.integrations.application.tell_public import TellPublic
from sidetone.integrations.infrastructure.sql_commands import SqlCommands
from sidetone.integrations.infrastructure.sql_incoming import SqlIncomingWebhooks
from sidetone.integrations.infrastructure.sql_webhooks import SqlWebhooks
from sidetone.integrations.infrastructure.store_invocations import StoreInvocations
from sidetone.integrations.infrastructure.web_post import WebPost
from sidetone.integrations.interface.http_commands import CommandCases, command_routes
from sidetone.integrations.interface.http_webhooks import incoming_routes, webhook_routes
from sidetone.protocol.questions import DescribeServer
from sidetone.runtime.communities import Communities
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.public_network import PublicNetwork, SystemAddresses
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.migrations import migrate


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two deployments of integrations."""

    posts_per_webhook: Limit = Limit(count=30, period_ms=60_000)
    commands_per_user: Limit = Limit(count=10, period_ms=10_000)
    answer_seconds: float = 3.0
    delivery_poll_seconds: float = 1.0


DEFAULT = Policy()


async def build(
    around: Surroundings,
    policy: Policy = DEFAULT,
    stream: Stream | None = None,
    post: Post | None = None,
) -> Router:
    """Return the routes of integrations; its tables are brought up to date first.

    *stream* is where integrators read, *post* how webhooks are sent: to the public internet,
    unless a test says otherwise. The caller closes all that it gave.
    """
    await migrate(around.database, "integrations", files("sidetone.integrations") / "migrations")
    bus, clock = around.bus, around.clock
    communities = Communities(lambda server: bus.ask(DescribeServer(server)))
    webhooks = SqlWebhooks(around.database)
    incoming = SqlIncomingWebhooks(around.database)
    queued = asyncio.Event()
    tell = TellPublic(communities, stream or NoStream(), webhooks, incoming, clock, queued)
    await around.journal.follow(tell.keep_up)
    await around.journal.follow(tell, place="integrations")
    send = post or WebPost(PublicNetwork(SystemAddresses()))
    deliver = DeliverEvents(webhooks, send, clock, queued, policy.delivery_poll_seconds)
    around.tasks.start(deliver.work())
    pace = Limiter(around.store, "webhooks", policy.posts_per_webhook, open_when_down=True)
    cases = _commands(around, policy, communities)
    return Router(
        "/integrations",
        route_handlers=[
            *webhook_routes(ManageWebhooks(webhooks, communities, bus, clock)),
            *incoming_routes(
                ManageIncoming(incoming, communities, bus, clock),
                PostMessage(incoming, bus, pace, clock),
            ),
            *command_routes(cases),
        ],
    )


def _commands(around: Surroundings, policy: Policy, communities: Communities) -> CommandCases:
    bus, clock = around.bus, around.clock
    commands, invocations = SqlCommands(around.database), StoreInvocations(around.store)
    pace = Limiter(around.store, "commands", policy.commands_per_user, open_when_down=True)
    return CommandCases(
        ManageCommands(commands, communities, bus, clock),
        InvokeCommand(
            commands,
            invocations,
            communities,
            bus,
            pace,
            around.tasks,
            clock,
            policy.answer_seconds,
        ),
        AnswerCommand(invocations, communities, bus, clock),
    )
