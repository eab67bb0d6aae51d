"""Who people are, which devices they have, and the keys that verify what auth says."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.find_users import FindUsers
from sidetone.auth.application.issue_grant import IssueGrant
from sidetone.auth.application.link_device import LinkDevice
from sidetone.auth.application.manage_devices import ManageDevices
from sidetone.auth.application.ports import SigningKeys
from sidetone.auth.application.register_device import RegisterDevice
from sidetone.auth.domain.device import Device
from sidetone.auth.interface.http import PEOPLE
from sidetone.protocol import accounts, linking
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.runtime.openapi import responses

_PEOPLE_TAGS = ["people"]
_DEVICE_TAGS = ["devices"]
_KEY_TAGS = ["keys"]
_IDS_MAX = 100


def people_routes(find: FindUsers) -> list[ControllerRouterHandler]:
    """Bind looking people up."""

    @get("/users", operation_id="find_users", tags=_PEOPLE_TAGS)
    async def many(
        user: UserId,  # noqa: ARG001 - wants a login
        ids: Annotated[list[UUID], Parameter(min_items=1, max_items=_IDS_MAX)],
    ) -> list[accounts.User]:
        """Tell who up to 100 users are; those that do not exist are left out."""
        return await find.many([UserId(one) for one in ids])

    @get(
        "/users/{subject:uuid}",
        operation_id="find_user",
        tags=_PEOPLE_TAGS,
        responses=responses(404),
    )
    async def one(subject: UUID, user: UserId) -> accounts.User:  # noqa: ARG001 - wants a login
        """Tell who a user is."""
        return await find(UserId(subject))

    @get(
        "/users/named/{name:str}",
        operation_id="find_user_by_name",
        tags=_PEOPLE_TAGS,
        responses=responses(404),
    )
    async def named(name: str, user: UserId) -> accounts.User:  # noqa: ARG001 - wants a login
        """Tell who has exactly this name, capitals apart."""
        return await find.named(name)

    return [many, one, named]


def device_routes(
    register_device: RegisterDevice, manage: ManageDevices, issue_grant: IssueGrant
) -> list[ControllerRouterHandler]:
    """Bind what a user's devices need."""

    @get("/devices", operation_id="list_devices", tags=_DEVICE_TAGS, scope="voice")
    async def listed(user: UserId) -> list[accounts.DeviceInfo]:
        """List your devices."""
        return await manage.list(user)

    @put(
        "/devices/{device:uuid}",
        status_code=204,
        operation_id="register_device",
        tags=_DEVICE_TAGS,
        responses=responses(409, 422),
        scope="voice",
    )
    async def put_device(device: UUID, user: UserId, data: accounts.RegisterDevice) -> None:
        """Make a device known by its certified keys."""
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

    return [listed, put_device, _remove_device(manage), _grant(issue_grant)]


def _remove_device(manage: ManageDevices) -> ControllerRouterHandler:
    @delete(
        "/devices/{device:uuid}",
        operation_id="remove_device",
        tags=_DEVICE_TAGS,
        responses=responses(404),
        scope=PEOPLE,
        privileged=True,
    )
    async def remove(device: UUID, user: UserId) -> None:
        """Forget a device; it is granted no place in calls any more."""
        await manage.remove(user, DeviceId(device))

    return remove


def _grant(issue_grant: IssueGrant) -> ControllerRouterHandler:
    @post(
        "/grants",
        status_code=200,
        operation_id="issue_grant",
        tags=_DEVICE_TAGS,
        responses=responses(404),
        scope="voice",
    )
    async def grant(user: UserId, data: accounts.AskGrant) -> accounts.Grant:
        """Grant one of your devices a place in the calls of a channel."""
        return (await issue_grant(user, data.device, data.channel)).grant

    return grant


def link_routes(link: LinkDevice) -> list[ControllerRouterHandler]:
    """Bind what two devices of a user say to each other until the new one has the user's key."""

    @put(
        "/devices/{device:uuid}/link",
        status_code=204,
        operation_id="ask_device_link",
        tags=_DEVICE_TAGS,
        responses=responses(404, 422),
        scope="voice",
    )
    async def ask(device: UUID, user: UserId, data: linking.AskLink) -> None:
        """Let a new device of yours wait for your key; it waits for ten minutes."""
        await link.ask(user, DeviceId(device), data.ask)

    @get("/device-links", operation_id="list_device_links", tags=_DEVICE_TAGS, scope="voice")
    async def waiting(user: UserId) -> list[linking.LinkAsked]:
        """List your devices that wait for your key."""
        return await link.waiting(user)

    @put(
        "/devices/{device:uuid}/link/answer",
        status_code=204,
        operation_id="answer_device_link",
        tags=_DEVICE_TAGS,
        responses=responses(404, 422),
        scope="voice",
    )
    async def answer(device: UUID, user: UserId, data: linking.AnswerLink) -> None:
        """Give a device of yours that waits your key, sealed for it."""
        await link.answer(user, DeviceId(device), data.give)

    @get(
        "/devices/{device:uuid}/link",
        operation_id="read_device_link",
        tags=_DEVICE_TAGS,
        responses=responses(404),
        scope="voice",
    )
    async def state(device: UUID, user: UserId) -> linking.LinkState:
        """Tell whether your device was answered, and with what."""
        return await link.state(user, DeviceId(device))

    return [ask, waiting, answer, state]


def key_routes(keys: SigningKeys) -> list[ControllerRouterHandler]:
    """Bind the public keys."""

    @get(
        "/jwks.json",
        operation_id="token_keys",
        tags=_KEY_TAGS,
        media_type="application/jwk-set+json",
    )
    async def token_keys() -> Response[bytes]:
        """Show the keys that verify access tokens, as a JSON Web Key Set."""
        return Response(keys.token_key_set, media_type="application/jwk-set+json")

    @get("/grant-keys", operation_id="grant_keys", tags=_KEY_TAGS)
    async def grant_keys() -> accounts.GrantKeys:
        """Show the keys that verify grants, the current one first."""
        return accounts.GrantKeys(list(keys.grant_keys))

    return [token_keys, grant_keys]
