"""Exchange a bot's own token for an access token."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Bots, SigningKeys
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.login import Client
from sidetone.auth.domain.secret import secret_sha256
from sidetone.protocol.bots import BotLoggedIn
from sidetone.protocol.refusals import Unauthenticated
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class LogInBot:
    """Hand out access tokens that are good for the bot's scopes alone."""

    bots: Bots
    keys: SigningKeys
    throttle: Throttle
    clock: Clock

    async def __call__(self, token: str, client: Client) -> BotLoggedIn:
        """Return an access token. Raises ``Unauthenticated``; 256 bits cannot be guessed."""
        await self.throttle.take(client)
        bot = await self.bots.with_token(secret_sha256(token))
        if bot is None:
            raise Unauthenticated(
                "bot_token_invalid", "this token is void; make the bot a new one"
            )
        access_token, expires_at_ms = self.keys.token_signer.sign(
            bot.user, bot.login, self.clock.new_id(), self.clock.now_ms(), bot.scopes
        )
        return BotLoggedIn(bot.user, bot.name, access_token, expires_at_ms)
