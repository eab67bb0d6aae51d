"""All services in one application: the composition that ``serve`` and the tests share."""

import msgspec
from litestar.types import ASGIApp

import sidetone.auth.app
import sidetone.chat.app
import sidetone.media.app
import sidetone.presence.app
import sidetone.voice.app
from sidetone.runtime.deployment import checks
from sidetone.runtime.http import app_of
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files import Files


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between two servers, by service."""

    http: HttpPolicy = HttpPolicy()
    auth: sidetone.auth.app.Policy = sidetone.auth.app.Policy()
    chat: sidetone.chat.app.Policy = sidetone.chat.app.Policy()
    media: sidetone.media.app.Policy = sidetone.media.app.Policy()
    presence: sidetone.presence.app.Policy = sidetone.presence.app.Policy()


DEFAULT = Policies()


async def build(around: Surroundings, files: Files, policies: Policies = DEFAULT) -> ASGIApp:
    """Return one ASGI application that holds every service.

    The caller closes what is *around*, and *files*.
    """
    routers = [
        await sidetone.auth.app.build(around.database, around.bus, around.clock, policies.auth),
        await sidetone.chat.app.build(around, policies.chat),
        await sidetone.media.app.build(around, files, policies.media),
        await sidetone.presence.app.build(around, policies.presence),
        await sidetone.voice.app.build(around.database, around.store, around.bus, around.clock),
    ]
    return app_of(routers, around=around, policy=policies.http, ready=checks(around))
