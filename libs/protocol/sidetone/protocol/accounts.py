"""Accounts and devices: the bodies of the auth service."""

from typing import Any, Literal, TypeAlias

import msgspec

from sidetone.protocol.bots import Bot
from sidetone.protocol.ids import ChannelId, DeviceId, FileId, LoginId, PasskeyId, UserId
from sidetone.protocol.requests import Answer, Body

# --- Getting in ---


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


class LoggedIn(Answer, frozen=True, tag="logged_in"):
    """A login: the access token for requests, the refresh token for the next access token."""

    user: UserId
    name: str
    access_token: str
    refresh_token: str
    expires_at_ms: int


SecondFactor: TypeAlias = Literal["code", "passkey"]


class SecondFactorRequired(Answer, frozen=True, tag="second_factor_required"):
    """The first factor was right; *challenge* admits one of *methods* until *expires_at_ms*."""

    challenge: str
    methods: list[SecondFactor]
    expires_at_ms: int


class NameRequired(Answer, frozen=True, tag="name_required"):
    """A provider knows who this is, but has no account here yet: *ticket* makes one.

    *suggestion* is what the provider calls them, where that could be a name.
    """

    ticket: str
    suggestion: str
    expires_at_ms: int


LoginStep: TypeAlias = LoggedIn | SecondFactorRequired
ProviderStep: TypeAlias = LoggedIn | SecondFactorRequired | NameRequired


class LogInWithCode(Body, frozen=True):
    """``POST /auth/login/code``: *code* is of the authenticator app, or a recovery code."""

    challenge: str
    code: str


class AskPasskey(Body, frozen=True):
    """``POST /auth/login/passkey/options``: the second factor of *challenge*, or a login alone."""

    challenge: str = ""


class PasskeyOptions(Answer, frozen=True):
    """What to give to the authenticator, as WebAuthn's ``...OptionsJSON``, and what to send back.

    *request* names this ceremony; it is over at *expires_at_ms*.
    """

    request: str
    options: dict[str, Any]
    expires_at_ms: int


class LogInWithPasskey(Body, frozen=True):
    """``POST /auth/login/passkey``: *credential* is WebAuthn's ``AuthenticationResponseJSON``."""

    request: str
    credential: dict[str, Any]


# --- Logins ---


class LoginInfo(Answer, frozen=True):
    """One of ``GET /auth/logins``: a signed-in client; *address* is cut to its network."""

    id: LoginId
    client: str
    address: str
    created_at_ms: int
    used_at_ms: int
    current: bool


class Proof(Body, frozen=True):
    """That it is really you: the password, and a code where the account has a second factor.

    An account without a password proves itself by a login that is less than ten minutes old.
    """

    password: str = ""
    code: str = ""


class ChangePassword(Body, frozen=True):
    """``PUT /auth/password``; an account without a password gets its first one."""

    new_password: str
    proof: Proof = Proof()


class AskReset(Body, frozen=True):
    """``POST /auth/password/reset``."""

    address: str


class ResetPassword(Body, frozen=True):
    """``POST /auth/password/reset/confirm``: *token* came by mail."""

    token: str
    new_password: str


class ChangeAddress(Body, frozen=True):
    """``PUT /auth/address``; empty: the account has no address any more."""

    address: str
    proof: Proof = Proof()


class MailToken(Body, frozen=True):
    """``POST /auth/address/verify``: *token* came by mail."""

    token: str


# --- Second factors ---


class TotpSecret(Answer, frozen=True):
    """For the authenticator app: the *secret* in base32, and both in one *uri* for a QR code."""

    secret: str
    uri: str


class ConfirmTotp(Body, frozen=True):
    """``POST /auth/totp/confirm``: a *code* of the app shows that it has the secret."""

    code: str


class RecoveryCodes(Answer, frozen=True):
    """Each logs in once without the second factor. They are shown this one time."""

    codes: list[str]


class Passkey(Answer, frozen=True):
    """One of ``GET /auth/passkeys``."""

    id: PasskeyId
    name: str
    created_at_ms: int
    used_at_ms: int | None = None


class AddPasskey(Body, frozen=True):
    """``POST /auth/passkeys``: *credential* is WebAuthn's ``RegistrationResponseJSON``."""

    request: str
    name: str
    credential: dict[str, Any]


class RenamePasskey(Body, frozen=True):
    """``PATCH /auth/passkeys/{passkey}``."""

    name: str


# --- Providers (OpenID Connect) ---


class Provider(Answer, frozen=True):
    """One of ``GET /auth/providers``: who else can tell this server who somebody is."""

    id: str
    title: str


class AskProvider(Body, frozen=True):
    """``POST /auth/providers/{provider}/login``, or ``.../link`` for an account that is there.

    *redirect_uri* is where the browser comes back to: a loopback address with any port and the
    path ``/oauth/callback``, or one that the operator allows.
    """

    redirect_uri: str


class ProviderFlow(Answer, frozen=True):
    """Open *url* in the system browser; keep *flow* to yourself until the browser is back.

    The state that comes back must be *state*.
    """

    flow: str
    url: str
    state: str
    expires_at_ms: int


class ProviderAnswer(Body, frozen=True):
    """``POST /auth/providers/finish``: what the browser brought back, and the flow it is for."""

    flow: str
    state: str
    code: str
    iss: str = ""


class RegisterWithProvider(Body, frozen=True):
    """``POST /auth/providers/register``: make the account that a ticket is for."""

    ticket: str
    name: str


class Identity(Answer, frozen=True):
    """One of ``GET /auth/identities``: a provider that can log this account in."""

    provider: str
    created_at_ms: int


# --- People ---


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


class Me(Answer, frozen=True):
    """``GET /auth/me``: what only you may know of yourself."""

    user: User
    address: str | None
    address_verified: bool
    password: bool
    totp: bool
    recovery_codes: int
    passkeys: int
    created_at_ms: int


class EditMe(Body, frozen=True):
    """``PATCH /auth/me``; an *avatar* of None takes it away."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    bio: str | msgspec.UnsetType = msgspec.UNSET
    avatar: FileId | msgspec.UnsetType | None = msgspec.UNSET


class Deletion(Answer, frozen=True):
    """The account goes for ever once *token* is sent to ``POST /auth/me/deletion/confirm``."""

    token: str
    expires_at_ms: int


class ConfirmDeletion(Body, frozen=True):
    """``POST /auth/me/deletion/confirm``."""

    token: str


class DeviceInfo(Answer, frozen=True):
    """One of ``GET /auth/devices``."""

    id: DeviceId
    identity_key: bytes
    device_key: bytes
    created_at_ms: int


class Export(Answer, frozen=True):
    """``GET /auth/export``: everything that the auth service keeps about you.

    What the other services keep is had from their own routes, which *elsewhere* lists.
    """

    exported_at_ms: int
    me: Me
    logins: list[LoginInfo]
    devices: list[DeviceInfo]
    passkeys: list[Passkey]
    identities: list[Identity]
    bots: list[Bot]
    elsewhere: list[str]


# --- Devices ---


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
