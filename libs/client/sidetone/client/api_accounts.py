"""Accounts, logins, devices and bots over REST."""

from sidetone.client.requests import Requests
from sidetone.protocol.accounts import (
    AskGrant,
    AskReset,
    ChangePassword,
    ConfirmTotp,
    DeviceInfo,
    EditMe,
    Export,
    Grant,
    GrantKeys,
    LoggedIn,
    LogIn,
    LoginInfo,
    Me,
    Proof,
    RecoveryCodes,
    Register,
    RegisterDevice,
    ResetPassword,
    TotpSecret,
    User,
)
from sidetone.protocol.bots import Bot, BotScope, BotToken, CreateBot, LogInBot
from sidetone.protocol.ids import ChannelId, DeviceId, LoginId, UserId
from sidetone.protocol.linking import AnswerLink, AskLink, LinkAsked, LinkState


class Accounts:
    """One's own account, and who others are."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def register(self, name: str, password: str) -> LoggedIn:
        """Make an account and log in to it."""
        return await self._requests.sign_in(Register(name, password))

    async def log_in(self, name: str, password: str, *, code: str = "") -> LoggedIn:
        """Log in to an account; *code* is of its second factor, if it has one."""
        return await self._requests.sign_in(LogIn(name, password), code)

    async def log_in_bot(self, token: str) -> LoggedIn:
        """Log in as a bot."""
        return await self._requests.sign_in(LogInBot(token))

    async def log_out(self) -> None:
        """End this login, also on the server."""
        await self._requests.sign_out()

    async def ask_reset(self, address: str) -> None:
        """Have a code for a new password sent to *address*, if an account has it."""
        await self._requests.tell_openly("POST", "/auth/password/reset", AskReset(address))

    async def reset_password(self, token: str, new_password: str) -> None:
        """Choose a new password with the code of the mail; all logins end."""
        body = ResetPassword(token, new_password)
        await self._requests.tell_openly("POST", "/auth/password/reset/confirm", body)

    async def me(self) -> Me:
        """Return what only the account itself may know."""
        return await self._requests.ask("GET", "/auth/me", Me)

    async def edit_me(self, changes: EditMe) -> User:
        """Change what others see."""
        return await self._requests.ask("PATCH", "/auth/me", User, changes)

    async def user(self, user: UserId) -> User:
        """Return what everybody may know of *user*."""
        return await self._requests.ask("GET", f"/auth/users/{user}", User)

    async def users(self, users: list[UserId]) -> list[User]:
        """Return who up to a hundred *users* are; unknown ones are left out."""
        query = {"ids": users}
        return await self._requests.ask("GET", "/auth/users", list[User], query=query)

    async def user_named(self, name: str) -> User:
        """Return who has exactly this name, capitals apart."""
        return await self._requests.ask("GET", f"/auth/users/named/{name}", User)

    async def logins(self) -> list[LoginInfo]:
        """Return where the account is logged in."""
        return await self._requests.ask("GET", "/auth/logins", list[LoginInfo])

    async def end_login(self, login: LoginId) -> None:
        """End one of the account's logins."""
        await self._requests.tell("DELETE", f"/auth/logins/{login}")

    async def end_other_logins(self) -> None:
        """End all logins of the account but this one."""
        await self._requests.tell("DELETE", "/auth/logins")

    async def change_password(self, new_password: str, proof: Proof) -> None:
        """Choose a new password; all other logins end."""
        await self._requests.tell("PUT", "/auth/password", ChangePassword(new_password, proof))

    async def begin_totp(self, proof: Proof) -> TotpSecret:
        """Return a secret for an authenticator app; it counts once a code of it came back."""
        return await self._requests.ask("POST", "/auth/totp", TotpSecret, proof)

    async def confirm_totp(self, code: str) -> RecoveryCodes:
        """Turn the second factor on, and return the codes for the day the app is lost."""
        path = "/auth/totp/confirm"
        return await self._requests.ask("POST", path, RecoveryCodes, ConfirmTotp(code))

    async def export(self) -> Export:
        """Return everything that is kept about the account."""
        return await self._requests.ask("GET", "/auth/export", Export)

    async def register_device(self, device: DeviceId, keys: RegisterDevice) -> None:
        """Publish the keys of *device*; repeating it changes nothing."""
        await self._requests.tell("PUT", f"/auth/devices/{device}", keys)

    async def devices(self) -> list[DeviceInfo]:
        """Return the devices that are known."""
        return await self._requests.ask("GET", "/auth/devices", list[DeviceInfo])

    async def ask_link(self, device: DeviceId, ask: bytes) -> None:
        """Let a new device wait for the user's key."""
        await self._requests.tell("PUT", f"/auth/devices/{device}/link", AskLink(ask))

    async def links_asked(self) -> list[LinkAsked]:
        """Return the devices that wait for the user's key."""
        return await self._requests.ask("GET", "/auth/device-links", list[LinkAsked])

    async def answer_link(self, device: DeviceId, give: bytes) -> None:
        """Give a device that waits what was sealed for it."""
        path = f"/auth/devices/{device}/link/answer"
        await self._requests.tell("PUT", path, AnswerLink(give))

    async def link_state(self, device: DeviceId) -> LinkState:
        """Return what was given to a device that waits."""
        return await self._requests.ask("GET", f"/auth/devices/{device}/link", LinkState)

    async def grant(self, channel: ChannelId, device: DeviceId) -> Grant:
        """Return a new word of the auth service that *device* may be in *channel*."""
        return await self._requests.ask("POST", "/auth/grants", Grant, AskGrant(channel, device))

    async def grant_keys(self) -> list[bytes]:
        """Return the public keys that verify grants, the current one first."""
        return (await self._requests.ask("GET", "/auth/grant-keys", GrantKeys)).keys

    async def bots(self) -> list[Bot]:
        """Return the account's bots."""
        return await self._requests.ask("GET", "/auth/bots", list[Bot])

    async def create_bot(self, name: str, scopes: list[BotScope]) -> BotToken:
        """Make a bot; its token is shown this once."""
        return await self._requests.ask("POST", "/auth/bots", BotToken, CreateBot(name, scopes))

    async def delete_bot(self, bot: UserId) -> None:
        """Delete a bot for ever."""
        await self._requests.tell("DELETE", f"/auth/bots/{bot}")
