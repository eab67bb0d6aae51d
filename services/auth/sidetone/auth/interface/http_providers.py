"""Logging in with an OpenID provider, and linking one."""

from litestar import delete, get, post
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.log_in_with_provider import (
    BeginProviderFlow,
    LinkProvider,
    LogInWithProvider,
    RegisterWithProvider,
)
from sidetone.auth.application.proof_ports import Identities, Providers
from sidetone.auth.interface.http import PEOPLE, client_of
from sidetone.protocol import accounts
from sidetone.runtime.callers import Caller
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses

_TAGS = ["providers"]


def provider_routes(
    providers: Providers,
    begin: BeginProviderFlow,
    log_in: LogInWithProvider,
    register: RegisterWithProvider,
) -> list[ControllerRouterHandler]:
    """Bind logging in by a provider."""

    @get("/providers", operation_id="list_providers", tags=_TAGS)
    async def listed() -> list[accounts.Provider]:
        """List who else can log you in here."""
        return providers.listed

    @post(
        "/providers/{provider:str}/login",
        status_code=200,
        operation_id="begin_provider_login",
        tags=_TAGS,
        responses=responses(404, 422),
    )
    async def begin_route(
        request: AnyRequest, provider: str, data: accounts.AskProvider
    ) -> accounts.ProviderFlow:
        """Begin a login by a provider: open the answer's URL in the system browser."""
        return await begin(provider, data.redirect_uri, client_of(request))

    @post(
        "/providers/finish",
        status_code=200,
        operation_id="log_in_with_provider",
        tags=_TAGS,
        responses=responses(401),
    )
    async def finish(request: AnyRequest, data: accounts.ProviderAnswer) -> accounts.ProviderStep:
        """Log in with what the browser brought back."""
        return await log_in(data, client_of(request))

    return [listed, begin_route, finish, _register_route(register)]


def _register_route(register: RegisterWithProvider) -> ControllerRouterHandler:
    @post(
        "/providers/register",
        operation_id="register_with_provider",
        tags=_TAGS,
        responses=responses(401, 409, 422),
    )
    async def register_route(
        request: AnyRequest, data: accounts.RegisterWithProvider
    ) -> accounts.LoggedIn:
        """Make the account of somebody whom a provider has named."""
        return await register(data.ticket, data.name, client_of(request))

    return register_route


def identity_routes(
    identities: Identities, begin: BeginProviderFlow, link: LinkProvider
) -> list[ControllerRouterHandler]:
    """Bind the links between an account and its providers."""

    @get("/identities", operation_id="list_identities", tags=_TAGS, scope=PEOPLE)
    async def listed(caller: Caller) -> list[accounts.Identity]:
        """List the providers that can log you in."""
        return await identities.of_user(caller.user)

    @post(
        "/identities/{provider:str}",
        status_code=200,
        operation_id="begin_link",
        tags=_TAGS,
        responses=responses(404, 422),
        scope=PEOPLE,
        privileged=True,
    )
    async def begin_route(
        request: AnyRequest, caller: Caller, provider: str, data: accounts.AskProvider
    ) -> accounts.ProviderFlow:
        """Begin to link a provider to your account."""
        return await begin(provider, data.redirect_uri, client_of(request), caller.user)

    @post(
        "/identities",
        status_code=204,
        operation_id="link_provider",
        tags=_TAGS,
        responses=responses(409),
        scope=PEOPLE,
        privileged=True,
    )
    async def link_route(
        request: AnyRequest, caller: Caller, data: accounts.ProviderAnswer
    ) -> None:
        """Link whom the browser brought back to your account."""
        await link.link(caller.user, data, client_of(request))

    return [listed, begin_route, link_route, _unlink_route(link)]


def _unlink_route(link: LinkProvider) -> ControllerRouterHandler:
    @delete(
        "/identities/{provider:str}",
        operation_id="unlink_provider",
        tags=_TAGS,
        responses=responses(409),
        scope=PEOPLE,
        privileged=True,
    )
    async def unlink(provider: str, caller: Caller) -> None:
        """Unlink a provider from your account."""
        await link.unlink(caller.user, provider)

    return unlink
