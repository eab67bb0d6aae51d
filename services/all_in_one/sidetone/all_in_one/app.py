"""All services in one application: the composition that ``serve`` and the tests share."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

import msgspec
from litestar import Router
from litestar.types import ASGIApp

import sidetone.auth.app
import sidetone.chat.app
import sidetone.gateway.app
import sidetone.integrations.app
import sidetone.media.app
import sidetone.presence.app
import sidetone.voice.app
from sidetone.gateway.interface.door import Door
from sidetone.runtime.deployment import checks
from sidetone.runtime.http import app_of
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.limits import Limit
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files import Files

P = TypeVar("P", bound=msgspec.Struct)


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between two servers, by service."""

    http: HttpPolicy = HttpPolicy()
    auth: sidetone.auth.app.Policy = sidetone.auth.app.Policy()
    chat: sidetone.chat.app.Policy = sidetone.chat.app.Policy()
    gateway: sidetone.gateway.app.Policy = sidetone.gateway.app.Policy()
    integrations: sidetone.integrations.app.Policy = sidetone.integrations.app.Policy()
    media: sidetone.media.app.Policy = sidetone.media.app.Policy()
    presence: sidetone.presence.app.Policy = sidetone.presence.app.Policy()
    voice: sidetone.voice.app.Policy = sidetone.voice.app.Policy()

    def with_limits_raised(self, factor: int) -> "Policies":
        """Return the same with *factor* times as much allowed by every limit."""
        return Policies(**{name: _raised(getattr(self, name), factor) for name in _names(self)})


def _raised(policy: P, factor: int) -> P:
    limits = {name: getattr(policy, name) for name in _names(policy)}
    raised = {
        name: Limit(limit.count * factor, limit.period_ms)
        for name, limit in limits.items()
        if isinstance(limit, Limit)
    }
    return msgspec.structs.replace(policy, **raised)


def _names(policy: msgspec.Struct) -> tuple[str, ...]:
    return policy.__struct_fields__


class Place(NamedTuple):
    """Where a service is built: its surroundings, the files of all, and the policies."""

    around: Surroundings
    files: Files
    policies: Policies


class Application(NamedTuple):
    """What answers requests, and what takes over the connections that become sockets."""

    http: ASGIApp
    gateway: Door


Build: TypeAlias = Callable[[Place], Awaitable[Router]]

# The services that answer requests, by the first word of their paths.
SERVICES: Mapping[str, Build] = {
    "auth": lambda at: sidetone.auth.app.build(at.around, at.policies.auth),
    "chat": lambda at: sidetone.chat.app.build(at.around, at.policies.chat),
    "integrations": lambda at: sidetone.integrations.app.build(
        at.around, at.policies.integrations
    ),
    "media": lambda at: sidetone.media.app.build(at.around, at.files, at.policies.media),
    "presence": lambda at: sidetone.presence.app.build(at.around, at.policies.presence),
    "voice": lambda at: sidetone.voice.app.build(at.around, at.policies.voice),
}
DEFAULT = Policies()


async def build(around: Surroundings, files: Files, policies: Policies = DEFAULT) -> Application:
    """Return one application that holds every service.

    The caller closes what is *around*, and *files*; whoever serves it closes its gateway.
    """
    place = Place(around, files, policies)
    routers = [await build_service(place) for build_service in SERVICES.values()]
    http = app_of(routers, around=around, policy=policies.http, ready=checks(around))
    gateway = await sidetone.gateway.app.build(around, policies.gateway, policies.http.tokens)
    return Application(http, gateway)
