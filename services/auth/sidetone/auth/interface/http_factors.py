"""Second factors and passkeys of an account."""

from uuid import UUID

from litestar import get, patch, post
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.manage_passkeys import ManagePasskeys
from sidetone.auth.application.set_up_totp import SetUpTotp
from sidetone.auth.interface.http import PEOPLE
from sidetone.protocol import accounts
from sidetone.protocol.ids import PasskeyId
from sidetone.runtime.callers import Caller
from sidetone.runtime.openapi import responses

_TAGS = ["second factors"]


def totp_routes(totp: SetUpTotp) -> list[ControllerRouterHandler]:
    """Bind the authenticator app."""

    @post(
        "/totp",
        operation_id="begin_totp",
        tags=_TAGS,
        responses=responses(409),
        scope=PEOPLE,
        privileged=True,
    )
    async def begin(caller: Caller, data: accounts.Proof) -> accounts.TotpSecret:
        """Begin to set up an authenticator app; it counts once a code of it comes back."""
        return await totp.begin(caller.user, caller.login, data)

    @post(
        "/totp/confirm",
        operation_id="confirm_totp",
        tags=_TAGS,
        responses=responses(409, 422),
        scope=PEOPLE,
        privileged=True,
    )
    async def confirm(caller: Caller, data: accounts.ConfirmTotp) -> accounts.RecoveryCodes:
        """Switch the second factor on; the answer holds the recovery codes."""
        return await totp.confirm(caller.user, data.code)

    return [begin, confirm]


def totp_present_routes(totp: SetUpTotp) -> list[ControllerRouterHandler]:
    """Bind what happens to an authenticator app that is set up."""

    @post(
        "/totp/remove",
        status_code=204,
        operation_id="remove_totp",
        tags=_TAGS,
        scope=PEOPLE,
        privileged=True,
    )
    async def remove(caller: Caller, data: accounts.Proof) -> None:
        """Switch the second factor off."""
        await totp.remove(caller.user, caller.login, data)

    @post(
        "/recovery-codes",
        operation_id="renew_recovery_codes",
        tags=_TAGS,
        responses=responses(409),
        scope=PEOPLE,
        privileged=True,
    )
    async def renew(caller: Caller, data: accounts.Proof) -> accounts.RecoveryCodes:
        """Make new recovery codes; the old ones are void."""
        return await totp.renew_codes(caller.user, caller.login, data)

    return [remove, renew]


def new_passkey_routes(passkeys: ManagePasskeys) -> list[ControllerRouterHandler]:
    """Bind adding a passkey."""

    @post(
        "/passkeys/options",
        status_code=200,
        operation_id="begin_passkey",
        tags=_TAGS,
        responses=responses(422),
        scope=PEOPLE,
        privileged=True,
    )
    async def begin(caller: Caller, data: accounts.Proof) -> accounts.PasskeyOptions:
        """Begin to add a passkey: the answer is for the authenticator."""
        return await passkeys.begin(caller.user, caller.login, data)

    @post(
        "/passkeys",
        operation_id="add_passkey",
        tags=_TAGS,
        responses=responses(404, 409, 422),
        scope=PEOPLE,
        privileged=True,
    )
    async def add(caller: Caller, data: accounts.AddPasskey) -> accounts.Passkey:
        """Add the passkey that the authenticator made."""
        return await passkeys.add(caller.user, data.request, data.name, data.credential)

    return [begin, add]


def passkey_routes(passkeys: ManagePasskeys) -> list[ControllerRouterHandler]:
    """Bind what happens to passkeys that are there."""

    @get("/passkeys", operation_id="list_passkeys", tags=_TAGS, scope=PEOPLE)
    async def listed(caller: Caller) -> list[accounts.Passkey]:
        """List your passkeys."""
        return await passkeys.list(caller.user)

    @patch(
        "/passkeys/{passkey:uuid}",
        status_code=204,
        operation_id="rename_passkey",
        tags=_TAGS,
        responses=responses(404, 422),
        scope=PEOPLE,
        privileged=True,
    )
    async def rename(passkey: UUID, caller: Caller, data: accounts.RenamePasskey) -> None:
        """Rename a passkey."""
        await passkeys.rename(caller.user, PasskeyId(passkey), data.name)

    @post(
        "/passkeys/{passkey:uuid}/remove",
        status_code=204,
        operation_id="remove_passkey",
        tags=_TAGS,
        responses=responses(404),
        scope=PEOPLE,
        privileged=True,
    )
    async def remove(passkey: UUID, caller: Caller, data: accounts.Proof) -> None:
        """Remove a passkey."""
        await passkeys.remove(caller.user, caller.login, data, PasskeyId(passkey))

    return [listed, rename, remove]
