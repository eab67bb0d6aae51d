"""Sign in, or link an account, by an OpenID provider: authorization code with PKCE.

Three secrets keep the steps together. *state* comes back through the browser and shows that the
answer belongs to the question; *nonce* comes back inside the ID token; *flow* never leaves the
program that began, so that whoever overhears the browser cannot finish in its place.
"""

import hmac
import secrets
from dataclasses import dataclass

import msgspec

from sidetone.auth.application.admit import Admit
from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.ports import Accounts
from sidetone.auth.application.proof_ports import (
    Asked,
    Challenges,
    Identities,
    Person,
    Providers,
)
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.account import Account, name_key, name_of
from sidetone.auth.domain.login import Client
from sidetone.auth.domain.secret import SECRET_BYTES, secret_text
from sidetone.protocol.accounts import (
    LoggedIn,
    NameRequired,
    ProviderAnswer,
    ProviderFlow,
    ProviderStep,
)
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict, Invalid, Unauthenticated
from sidetone.runtime.clock import Clock

_FLOW = "provider_flow"
_TICKET = "provider_ticket"
_FLOW_LIFETIME_MS = 10 * 60_000


class _Flow(msgspec.Struct, frozen=True):
    provider: str
    asked: Asked
    user: UserId | None


class _Ticket(msgspec.Struct, frozen=True):
    provider: str
    subject: str


@dataclass(frozen=True)
class BeginProviderFlow:
    """Send somebody to a provider."""

    providers: Providers
    challenges: Challenges
    throttle: Throttle
    clock: Clock

    async def __call__(
        self, provider: str, redirect_uri: str, client: Client, user: UserId | None = None
    ) -> ProviderFlow:
        """Return where to send the browser; *user*: whose account is to be linked."""
        await self.throttle.take(client)
        self.providers.require_redirect(provider, redirect_uri)
        asked = Asked(redirect_uri, _secret(), _secret(), _secret())
        url = await self.providers.authorize_url(provider, asked)
        value = msgspec.msgpack.encode(_Flow(provider, asked, user))
        flow = await self.challenges.put(_FLOW, value, _FLOW_LIFETIME_MS)
        return ProviderFlow(flow, url, asked.state, self.clock.now_ms() + _FLOW_LIFETIME_MS)


@dataclass(frozen=True)
class FinishProviderFlow:
    """Take what the browser brought back, once."""

    providers: Providers
    challenges: Challenges
    throttle: Throttle

    async def __call__(
        self, answer: ProviderAnswer, client: Client, user: UserId | None
    ) -> tuple[str, Person]:
        """Return the provider and who it says it is. Raises ``Unauthenticated``.

        A flow that began for an account can only be finished by it, and one that began for
        nobody by nobody. It is over whatever the outcome, so that nothing can be tried twice.
        """
        await self.throttle.take(client)
        found = await self.challenges.take(_FLOW, answer.flow)
        if found is None:
            raise _over()
        flow = msgspec.msgpack.decode(found, type=_Flow)
        same_state = hmac.compare_digest(flow.asked.state.encode(), answer.state.encode())
        if not same_state or flow.user != user:
            raise _over()
        person = await self.providers.redeem(flow.provider, flow.asked, answer.code, answer.iss)
        return flow.provider, person


@dataclass(frozen=True)
class LogInWithProvider:
    """Sign in as whom a provider knows."""

    accounts: Accounts
    identities: Identities
    challenges: Challenges
    finish: FinishProviderFlow
    admit: Admit
    clock: Clock

    async def __call__(self, answer: ProviderAnswer, client: Client) -> ProviderStep:
        """Return the login, what the second factor is asked with, or a ticket for an account."""
        provider, person = await self.finish(answer, client, None)
        user = await self.identities.find(provider, person.subject)
        account = await self.accounts.get(user) if user else None
        if account is not None:
            return await self.admit(account, client)
        ticket = await self.challenges.put(
            _TICKET,
            msgspec.msgpack.encode(_Ticket(provider, person.subject)),
            _FLOW_LIFETIME_MS,
        )
        expires_at_ms = self.clock.now_ms() + _FLOW_LIFETIME_MS
        return NameRequired(ticket, _suggestion(person), expires_at_ms)


@dataclass(frozen=True)
class RegisterWithProvider:
    """Make the account of somebody whom a provider knows."""

    identities: Identities
    challenges: Challenges
    begin_login: BeginLogin
    throttle: Throttle
    clock: Clock

    async def __call__(self, ticket: str, name: str, client: Client) -> LoggedIn:
        """Return the account's first login; a name that is taken costs no ticket."""
        await self.throttle.take(client)
        found = await self.challenges.peek(_TICKET, ticket)
        if found is None:
            raise _over()
        known = msgspec.msgpack.decode(found, type=_Ticket)
        name = name_of(name)
        account = Account(UserId(self.clock.new_id()), name, "", created_at_ms=self.clock.now_ms())
        await self.identities.add_with_account(
            account, name_key(name), known.provider, known.subject
        )
        await self.challenges.take(_TICKET, ticket)
        return await self.begin_login(account, client)


@dataclass(frozen=True)
class LinkProvider:
    """Link an account that is there to whom a provider knows, or unlink it."""

    accounts: Accounts
    identities: Identities
    finish: FinishProviderFlow
    clock: Clock

    async def link(self, user: UserId, answer: ProviderAnswer, client: Client) -> None:
        """Link it. Raises ``Conflict`` where the identity, or the provider, is taken already."""
        provider, person = await self.finish(answer, client, user)
        await self.identities.add(user, provider, person.subject, self.clock.now_ms())

    async def unlink(self, user: UserId, provider: str) -> None:
        """Unlink it; what is not linked is no mistake. Raises ``Conflict`` for the last way in."""
        linked = {one.provider for one in await self.identities.of_user(user)}
        account = await self.accounts.get(user)
        if linked == {provider} and account is not None and not account.password_hash:
            raise Conflict("last_way_in", "choose a password first, or nobody could log in")
        await self.identities.remove(user, provider)


def _secret() -> str:
    return secret_text(secrets.token_bytes(SECRET_BYTES))


def _suggestion(person: Person) -> str:
    try:
        return name_of(person.suggestion)
    except Invalid:
        return ""


def _over() -> Unauthenticated:
    return Unauthenticated("flow_invalid", "this login is over or not yours; begin it again")
