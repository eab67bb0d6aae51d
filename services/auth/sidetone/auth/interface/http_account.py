"""What people do to their own account."""

from litestar import Response, get, patch, post, put
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.change_password import ChangePassword
from sidetone.auth.application.close_account import CloseAccount
from sidetone.auth.application.edit_profile import EditProfile
from sidetone.auth.application.manage_address import ManageAddress, VerifyAddress
from sidetone.auth.application.reset_password import AskReset, ResetPassword
from sidetone.auth.application.show_account import ExportAccount, ShowAccount
from sidetone.auth.interface.http import PEOPLE, client_of
from sidetone.protocol import accounts
from sidetone.protocol.ids import UserId
from sidetone.runtime.callers import Caller
from sidetone.runtime.http_etags import etag, expected
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses

_TAGS = ["account"]


def profile_routes(show: ShowAccount, edit: EditProfile) -> list[ControllerRouterHandler]:
    """Bind the profile."""

    @get("/me", operation_id="show_me", tags=_TAGS, versioned=True)
    async def me(user: UserId) -> Response[accounts.Me]:
        """Show your own account."""
        shown, version = await show(user)
        return Response(shown, headers={"etag": etag(version)})

    @patch(
        "/me",
        operation_id="edit_me",
        tags=_TAGS,
        responses=responses(404, 409, 422),
        versioned=True,
    )
    async def edit_me(
        request: AnyRequest, user: UserId, data: accounts.EditMe
    ) -> Response[accounts.User]:
        """Change what others see of you: display name, bio, avatar."""
        account = await edit(user, data, expected(request))
        return Response(account.user(), headers={"etag": etag(account.version)})

    return [me, edit_me]


def password_routes(
    change: ChangePassword, ask: AskReset, reset: ResetPassword
) -> list[ControllerRouterHandler]:
    """Bind changing and resetting the password."""

    @put(
        "/password",
        status_code=204,
        operation_id="change_password",
        tags=_TAGS,
        responses=responses(409, 422),
        scope=PEOPLE,
        privileged=True,
    )
    async def change_route(caller: Caller, data: accounts.ChangePassword) -> None:
        """Change your password; all your other logins end."""
        await change(caller.user, caller.login, data.proof, data.new_password)

    @post(
        "/password/reset",
        status_code=202,
        operation_id="ask_password_reset",
        tags=_TAGS,
        responses=responses(422),
    )
    async def ask_route(request: AnyRequest, data: accounts.AskReset) -> None:
        """Have a code sent to an address; the answer is the same if nobody has it."""
        await ask(data.address, client_of(request))

    @post(
        "/password/reset/confirm",
        status_code=204,
        operation_id="reset_password",
        tags=_TAGS,
        responses=responses(404, 422),
    )
    async def reset_route(request: AnyRequest, data: accounts.ResetPassword) -> None:
        """Choose a new password with the code of the mail; all logins end."""
        await reset(data.token, data.new_password, client_of(request))

    return [change_route, ask_route, reset_route]


def address_routes(manage: ManageAddress, verify: VerifyAddress) -> list[ControllerRouterHandler]:
    """Bind the e-mail address."""

    @put(
        "/address",
        status_code=202,
        operation_id="change_address",
        tags=_TAGS,
        responses=responses(422),
        scope=PEOPLE,
        privileged=True,
    )
    async def change(caller: Caller, data: accounts.ChangeAddress) -> None:
        """Change your e-mail address, once the code that is sent there comes back."""
        await manage.change(caller.user, caller.login, data.proof, data.address)

    @post(
        "/address/verify",
        status_code=204,
        operation_id="verify_address",
        tags=_TAGS,
        responses=responses(404, 409),
    )
    async def verify_route(request: AnyRequest, data: accounts.MailToken) -> None:
        """Show with the code of the mail that an address is yours."""
        await verify(data.token, client_of(request))

    return [change, verify_route]


def closing_routes(export: ExportAccount, close: CloseAccount) -> list[ControllerRouterHandler]:
    """Bind taking one's data along, and leaving."""

    @get("/export", operation_id="export_account", tags=_TAGS, scope=PEOPLE, privileged=True)
    async def export_route(caller: Caller) -> accounts.Export:
        """Export everything that is kept about your account."""
        return await export(caller.user, caller.login)

    @post(
        "/me/deletion",
        operation_id="begin_deletion",
        tags=_TAGS,
        scope=PEOPLE,
        privileged=True,
    )
    async def begin(caller: Caller, data: accounts.Proof) -> accounts.Deletion:
        """Begin to delete your account: the answer holds what confirms it."""
        return await close.begin(caller.user, caller.login, data)

    @post(
        "/me/deletion/confirm",
        status_code=204,
        operation_id="confirm_deletion",
        tags=_TAGS,
        responses=responses(404),
        scope=PEOPLE,
        privileged=True,
    )
    async def confirm(caller: Caller, data: accounts.ConfirmDeletion) -> None:
        """Delete your account for ever."""
        await close.confirm(caller.user, data.token)

    return [export_route, begin, confirm]
