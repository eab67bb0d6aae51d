"""The HTTP face of auth. Parses, calls one use case, returns what it returned."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from sidetone.auth.domain.login import Client
from sidetone.runtime.addresses import peer_of
from sidetone.runtime.http_requests import AnyRequest

# What bots have none of: these routes are for people alone.
PEOPLE = "api"


def routes(*handlers: ControllerRouterHandler) -> Router:
    """Gather the routes of auth under its path."""
    return Router("/auth", route_handlers=handlers)


def client_of(request: AnyRequest) -> Client:
    """Return where *request* comes from."""
    return Client(request.headers.get("user-agent", ""), peer_of(request))
