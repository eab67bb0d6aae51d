"""Getting in, staying in, and getting out."""

from uuid import UUID

from litestar import delete, get, post
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.log_in import LogIn
from sidetone.auth.application.log_in_with_code import LogInWithCode
from sidetone.auth.application.log_in_with_passkey import LogInWithPasskey
from sidetone.auth.application.log_out import LogOut
from sidetone.auth.application.manage_logins import ManageLogins
from sidetone.auth.application.refresh_login import RefreshLogin
from sidetone.auth.application.register import Register
from sidetone.auth.interface.http import PEOPLE, client_of
from sidetone.protocol import accounts
from sidetone.protocol.ids import LoginId
from sidetone.runtime.callers import Caller
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses

_TAGS = ["logins"]


def entry_routes(register: Register, log_in: LogIn) -> list[ControllerRouterHandler]:
    """Bind what happens before there is a login."""

    @post("/register", operation_id="register", tags=_TAGS, responses=responses(409, 422))
    async def register_route(request: AnyRequest, data: accounts.Register) -> accounts.LoggedIn:
        """Make an account and log in."""
        return await register(data.name, data.password, client_of(request))

    @post("/login", status_code=200, operation_id="log_in", tags=_TAGS, responses=responses(401))
    async def log_in_route(request: AnyRequest, data: accounts.LogIn) -> accounts.LoginStep:
        """Log in with a password; where there is a second factor, the answer asks for it."""
        return await log_in(data.name, data.password, client_of(request))

    return [register_route, log_in_route]


def second_factor_routes(
    with_code: LogInWithCode, with_passkey: LogInWithPasskey
) -> list[ControllerRouterHandler]:
    """Bind how a login goes on after the first factor, and how a passkey does without one."""

    @post(
        "/login/code",
        status_code=200,
        operation_id="log_in_with_code",
        tags=_TAGS,
        responses=responses(401),
    )
    async def code(request: AnyRequest, data: accounts.LogInWithCode) -> accounts.LoggedIn:
        """Finish a login with a code of the authenticator app or a recovery code."""
        return await with_code(data.challenge, data.code, client_of(request))

    @post(
        "/login/passkey/options",
        status_code=200,
        operation_id="begin_passkey_login",
        tags=_TAGS,
        responses=responses(401),
    )
    async def options(request: AnyRequest, data: accounts.AskPasskey) -> accounts.PasskeyOptions:
        """Begin a login with a passkey, alone or as second factor."""
        return await with_passkey.begin(data.challenge, client_of(request))

    @post(
        "/login/passkey",
        status_code=200,
        operation_id="log_in_with_passkey",
        tags=_TAGS,
        responses=responses(401),
    )
    async def passkey(request: AnyRequest, data: accounts.LogInWithPasskey) -> accounts.LoggedIn:
        """Log in with what the authenticator answered."""
        return await with_passkey.finish(data.request, data.credential, client_of(request))

    return [code, options, passkey]


def token_routes(refresh_login: RefreshLogin, log_out: LogOut) -> list[ControllerRouterHandler]:
    """Bind what the refresh token is for."""

    @post(
        "/refresh", status_code=200, operation_id="refresh", tags=_TAGS, responses=responses(401)
    )
    async def refresh(request: AnyRequest, data: accounts.Refresh) -> accounts.LoggedIn:
        """Exchange a refresh token for the next one and an access token; it works once."""
        return await refresh_login(data.refresh_token, client_of(request))

    @post("/logout", status_code=204, operation_id="log_out", tags=_TAGS)
    async def log_out_route(data: accounts.Refresh) -> None:
        """End the login of a refresh token; one that is over already is no mistake."""
        await log_out(data.refresh_token)

    return [refresh, log_out_route]


def login_routes(manage: ManageLogins) -> list[ControllerRouterHandler]:
    """Bind what a user may do to their logins."""

    @get("/logins", operation_id="list_logins", tags=_TAGS, scope=PEOPLE)
    async def listed(caller: Caller) -> list[accounts.LoginInfo]:
        """List where you are logged in."""
        return await manage.list(caller.user, caller.login)

    @delete(
        "/logins/{login:uuid}",
        operation_id="end_login",
        tags=_TAGS,
        responses=responses(404),
        scope=PEOPLE,
        privileged=True,
    )
    async def end(login: UUID, caller: Caller) -> None:
        """End one of your logins; its access tokens are void at once."""
        await manage.end(caller.user, LoginId(login))

    @delete("/logins", operation_id="end_other_logins", tags=_TAGS, scope=PEOPLE, privileged=True)
    async def end_others(caller: Caller) -> None:
        """End all your logins but this one."""
        await manage.end_others(caller.user, caller.login)

    return [listed, end, end_others]
