"""Keep bots: users that are programs."""

import secrets
from dataclasses import dataclass

from sidetone.auth.application.edit_profile import EditProfile
from sidetone.auth.application.ports import Bots, Denials
from sidetone.auth.domain.account import Account, name_key, name_of
from sidetone.auth.domain.bot import BOTS_PER_ACCOUNT_MAX, TOKEN_PREFIX, BotRecord, scopes_of
from sidetone.auth.domain.secret import SECRET_BYTES, secret_sha256, secret_text
from sidetone.protocol.accounts import EditMe
from sidetone.protocol.bots import Bot, BotScope, BotToken, EditBot
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Conflict, Invalid, NotFound
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class ManageBots:
    """Create, list, change and delete the bots of an owner."""

    bots: Bots
    denials: Denials
    edit_profile: EditProfile
    clock: Clock

    async def create(self, owner: UserId, name: str, scopes: list[BotScope]) -> BotToken:
        """Return the new bot with its token, which is shown this once."""
        if len(await self.bots.of_owner(owner)) >= BOTS_PER_ACCOUNT_MAX:
            raise Invalid("bots_too_many", f"an account has at most {BOTS_PER_ACCOUNT_MAX} bots")
        now_ms = self.clock.now_ms()
        account = Account(
            UserId(self.clock.new_id()), name_of(name), "", bot=True, created_at_ms=now_ms
        )
        bot = BotRecord(
            account.id,
            owner,
            LoginId(self.clock.new_id()),
            account.name,
            "",
            scopes_of(scopes),
            now_ms,
        )
        token = _new_token()
        await self.bots.add(bot, account, name_key(account.name), secret_sha256(token))
        return BotToken(_shown(bot), token)

    async def list(self, owner: UserId) -> list[Bot]:
        """Return the bots of *owner*, the oldest first."""
        return [_shown(bot) for bot in await self.bots.of_owner(owner)]

    async def edit(self, owner: UserId, user: UserId, changes: EditBot) -> Bot:
        """Change what a bot may do, or how it is shown; other scopes end its access tokens."""
        bot = await self._owned(owner, user)
        if isinstance(changes.scopes, list):
            scopes = scopes_of(changes.scopes)
            login = LoginId(self.clock.new_id())
            await self.denials.deny(await self.bots.change_scopes(bot, login, scopes))
        if isinstance(changes.display_name, str):
            await self.edit_profile(user, EditMe(display_name=changes.display_name), None)
        return _shown(await self._owned(owner, user))

    async def change_token(self, owner: UserId, user: UserId) -> BotToken:
        """Return the bot with a new token; the old one, and what it brought, is void at once."""
        bot = await self._owned(owner, user)
        token = _new_token()
        login = LoginId(self.clock.new_id())
        ended = await self.bots.change_token(bot, login, secret_sha256(token))
        if not ended:
            raise Conflict("bot_changed", "the bot was changed at the same time; try again")
        await self.denials.deny(ended)
        return BotToken(_shown(bot), token)

    async def remove(self, owner: UserId, user: UserId) -> None:
        """Close the bot's account. Raises ``NotFound``."""
        bot = await self._owned(owner, user)
        await self.denials.deny(await self.bots.remove(bot, self.clock.now_ms()))

    async def _owned(self, owner: UserId, user: UserId) -> BotRecord:
        """Return a bot of *owner*; another's is as unknown as none."""
        for bot in await self.bots.of_owner(owner):
            if bot.user == user:
                return bot
        raise NotFound("bot_unknown", "you have no such bot; list them again")


def _new_token() -> str:
    return TOKEN_PREFIX + secret_text(secrets.token_bytes(SECRET_BYTES))


def _shown(bot: BotRecord) -> Bot:
    return Bot(bot.user, bot.name, bot.display_name, bot.scopes, bot.created_at_ms)
