"""Accounts and devices: the bodies of the auth service."""

from sidetone.protocol.ids import ChannelId, DeviceId, FileId, UserId
from sidetone.protocol.requests import Answer, Body


class Register(Body, frozen=True):
    """``POST /auth/register``."""

    name: str
    password: str


class LogIn(Body, frozen=True):
    """``POST /auth/login``."""

    name: str
    password: str


class Refresh(Body, frozen=True):
    """``POST /auth/refresh`` and ``POST /auth/logout``."""

    refresh_token: str


class LoggedIn(Answer, frozen=True):
    """A login: the access token for requests, the refresh token for the next access token."""

    user: UserId
    name: str
    access_token: str
    refresh_token: str
    expires_at_ms: int


class User(Answer, frozen=True):
    """``GET /auth/users/{id}``: what everybody may know of a user.

    *name* is unique and what one logs in with; *display_name* is what others read, and empty where
    the name will do.
    """

    id: UserId
    name: str
    display_name: str = ""
    avatar: FileId | None = None
    bio: str = ""
    bot: bool = False


class RegisterDevice(Body, frozen=True):
    """``PUT /auth/devices/{device}``: keys of a device, certified by the user's identity key."""

    identity_key: bytes
    device_key: bytes
    created_at_ms: int
    certificate: bytes


class AskGrant(Body, frozen=True):
    """``POST /auth/grants``."""

    channel: ChannelId
    device: DeviceId


class Grant(Answer, frozen=True):
    """The auth service's word that this device may be in this channel until ``not_after_ms``.

    ``wire`` is the grant as VX1 defines it; clients check it and put it into their key package.
    """

    wire: bytes
    not_after_ms: int


class GrantKeys(Answer, frozen=True):
    """``GET /auth/grant-keys``: Ed25519 public keys that verify grants, current one first."""

    keys: list[bytes]
