"""The HTTP face of auth. Parses, calls one use case, returns what it returned."""

from uuid import UUID

from litestar import Response, Router, get, post, put
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.find_user import FindUser
from sidetone.auth.application.issue_grant import IssueGrant
from sidetone.auth.application.log_in import LogIn
from sidetone.auth.application.log_out import LogOut
from sidetone.auth.application.ports import SigningKeys
from sidetone.auth.application.refresh_login import RefreshLogin
from sidetone.auth.application.register import Register
from sidetone.auth.application.register_device import RegisterDevice
from sidetone.auth.domain.device import Device
from sidetone.protocol import accounts
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.runtime.addresses import peer_of
from sidetone.runtime.http import AnyRequest


def routes(*handlers: ControllerRouterHandler) -> Router:
    """Gather the routes of auth under its path."""
    return Router("/auth", route_handlers=handlers)


def account_routes(register: Register, log_in: LogIn) -> list[ControllerRouterHandler]:
    """Bind what happens before there is a login."""

    @post("/register")
    async def register_route(request: AnyRequest, data: accounts.Register) -> accounts.LoggedIn:
        return await register(data.name, data.password, peer_of(request))

    @post("/login", status_code=200)
    async def log_in_route(request: AnyRequest, data: accounts.LogIn) -> accounts.LoggedIn:
        return await log_in(data.name, data.password, peer_of(request))

    return [register_route, log_in_route]


def login_routes(refresh_login: RefreshLogin, log_out: LogOut) -> list[ControllerRouterHandler]:
    """Bind what happens to a login."""

    @post("/refresh", status_code=200)
    async def refresh(data: accounts.Refresh) -> accounts.LoggedIn:
        return await refresh_login(data.refresh_token)

    @post("/logout", status_code=204)
    async def log_out_route(data: accounts.Refresh) -> None:
        await log_out(data.refresh_token)

    return [refresh, log_out_route]


def device_routes(
    register_device: RegisterDevice, issue_grant: IssueGrant
) -> list[ControllerRouterHandler]:
    """Bind what a user's devices need."""

    @put("/devices/{device:uuid}", status_code=204)
    async def put_device(device: UUID, user: UserId, data: accounts.RegisterDevice) -> None:
        await register_device(
            Device(
                DeviceId(device),
                user,
                data.identity_key,
                data.device_key,
                data.created_at_ms,
                data.certificate,
            )
        )

    @post("/grants", status_code=200)
    async def grant(user: UserId, data: accounts.AskGrant) -> accounts.Grant:
        return (await issue_grant(user, data.device, data.channel)).grant

    return [put_device, grant]


def public_routes(keys: SigningKeys, find_user: FindUser) -> list[ControllerRouterHandler]:
    """Bind what others look up: verification keys, and who somebody is."""

    @get("/jwks.json")
    async def token_keys() -> Response[bytes]:
        return Response(keys.token_key_set, media_type="application/jwk-set+json")

    @get("/grant-keys")
    async def grant_keys() -> accounts.GrantKeys:
        return accounts.GrantKeys(list(keys.grant_keys))

    @get("/users/{subject:uuid}")
    async def find(subject: UUID, user: UserId) -> accounts.User:  # noqa: ARG001  # wants a login
        return await find_user(UserId(subject))

    return [token_keys, grant_keys, find]
