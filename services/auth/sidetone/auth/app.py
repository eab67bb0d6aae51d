"""Auth, wired: give it its surroundings, get its routes."""

from importlib.resources import files

import msgspec
from litestar import Router
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.admit import Admit
from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.change_password import ChangePassword
from sidetone.auth.application.check_code import CheckCode
from sidetone.auth.application.close_account import CloseAccount
from sidetone.auth.application.edit_profile import EditProfile
from sidetone.auth.application.find_users import FindUsers
from sidetone.auth.application.issue_grant import IssueGrant
from sidetone.auth.application.link_device import LinkDevice
from sidetone.auth.application.log_in import LogIn
from sidetone.auth.application.log_in_bot import LogInBot
from sidetone.auth.application.log_in_with_code import LogInWithCode
from sidetone.auth.application.log_in_with_passkey import LogInWithPasskey
from sidetone.auth.application.log_in_with_provider import (
    BeginProviderFlow,
    FinishProviderFlow,
    LinkProvider,
    LogInWithProvider,
    RegisterWithProvider,
)
from sidetone.auth.application.log_out import LogOut
from sidetone.auth.application.manage_address import ManageAddress, VerifyAddress
from sidetone.auth.application.manage_bots import ManageBots
from sidetone.auth.application.manage_devices import ManageDevices
from sidetone.auth.application.manage_logins import ManageLogins
from sidetone.auth.application.manage_passkeys import ManagePasskeys
from sidetone.auth.application.operate_accounts import OperateAccounts
from sidetone.auth.application.prove_identity import ProveIdentity
from sidetone.auth.application.purge_accounts import PurgeAccounts
from sidetone.auth.application.refresh_login import RefreshLogin
from sidetone.auth.application.register import Register
from sidetone.auth.application.register_device import RegisterDevice
from sidetone.auth.application.reset_password import AskReset, ResetPassword
from sidetone.auth.application.set_up_totp import SetUpTotp
from sidetone.auth.application.show_account import ExportAccount, ShowAccount
from sidetone.auth.application.tell_owner import TellOwner
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.infrastructure.errands import QueuedErrands
from sidetone.auth.infrastructure.mail import MailPolicy, NoMail, mailer_of
from sidetone.auth.infrastructure.oidc import OidcProviders, ProviderPolicy
from sidetone.auth.infrastructure.sql_accounts import SqlAccounts
from sidetone.auth.infrastructure.sql_addresses import SqlAddresses
from sidetone.auth.infrastructure.sql_bots import SqlBots
from sidetone.auth.infrastructure.sql_closed_accounts import SqlClosedAccounts
from sidetone.auth.infrastructure.sql_devices import SqlDevices
from sidetone.auth.infrastructure.sql_identities import SqlIdentities
from sidetone.auth.infrastructure.sql_keys import KeyRing
from sidetone.auth.infrastructure.sql_logins import SqlLogins
from sidetone.auth.infrastructure.sql_operated_accounts import SqlOperatedAccounts
from sidetone.auth.infrastructure.sql_passkeys import SqlPasskeys
from sidetone.auth.infrastructure.sql_second_factors import SqlSecondFactors
from sidetone.auth.infrastructure.store import StoreChallenges, StoreDenials, StoreLinks
from sidetone.auth.infrastructure.webauthn import WebAuthnCeremonies
from sidetone.auth.interface import (
    http,
    http_account,
    http_bots,
    http_factors,
    http_logins,
    http_people,
    http_providers,
)
from sidetone.auth.interface.questions import answer_questions, follow
from sidetone.credentials.passwords import DEFAULT_COST, Cost, Passwords
from sidetone.credentials.tokens import DEFAULT_POLICY, TokenPolicy
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Database
from sidetone.storage.migrations import migrate

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between two servers; the limits are on in every one of them.

    *title* is what apps and authenticators call the server. Passkeys belong to *passkey_domain*
    and are taken from *passkey_origins*, or else from it alone. *requests_per_network* counts what
    comes without a token. A login renews a hash of another cost than *password_cost*.
    """

    title: str = "Sidetone"
    token: TokenPolicy = DEFAULT_POLICY
    register_per_address: Limit = Limit(10, _MINUTE_MS)
    login_per_address: Limit = Limit(20, _MINUTE_MS)
    login_per_account: Limit = Limit(5, _MINUTE_MS)
    login_per_account_and_address: Limit = Limit(30, _HOUR_MS)
    refresh_per_address: Limit = Limit(120, _MINUTE_MS)
    mail_per_address: Limit = Limit(5, _MINUTE_MS)
    mail_per_mailbox: Limit = Limit(3, _HOUR_MS)
    requests_per_network: Limit = Limit(300, _MINUTE_MS)
    proofs_per_account: Limit = Limit(5, _MINUTE_MS)
    codes_per_account: Limit = Limit(10, _HOUR_MS)
    passkey_domain: str = "localhost"
    passkey_origins: list[str] = []
    mail: MailPolicy = NoMail()
    providers: list[ProviderPolicy] = []
    # Zero: the name of a closed account is never given to another one.
    closed_accounts_kept_days: int = 0
    password_cost: Cost = DEFAULT_COST


DEFAULT = Policy()


async def build(around: Surroundings, policy: Policy = DEFAULT) -> Router:
    """Return the routes of auth. The caller closes what is *around* it."""
    wiring = await _Wiring.open(around, policy)
    await answer_questions(around.bus, wiring.issue_grant, wiring.keys, wiring.find_users)
    around.tasks.start(wiring.errands.work())
    around.tasks.start(wiring.keys.keep())
    around.tasks.start(purging(around, policy.closed_accounts_kept_days).work())
    find_users = wiring.find_users
    around.tasks.start(follow(around.journal, find_users.hear, then=find_users.begin_holding))
    around.tasks.start(follow(around.journal, wiring.denials.hear))
    return http.routes(
        *wiring.login_routes(),
        *wiring.account_routes(),
        *wiring.factor_routes(),
        *wiring.provider_routes(),
        *wiring.bot_and_people_routes(),
    )


async def rotate_keys(database: Database, clock: Clock, policy: Policy = DEFAULT) -> None:
    """Make the next key that signs tokens now, as every thirty days; for an operator."""
    await migrate(database, "auth", files("sidetone.auth") / "migrations")
    await (await KeyRing.open(database, clock, policy.token)).rotate()


def purging(around: Surroundings, kept_days: int) -> PurgeAccounts:
    """Return what forgets the names of closed accounts; its tables exist."""
    return PurgeAccounts(SqlClosedAccounts(around.database), around.clock, kept_days)


def operation(around: Surroundings) -> OperateAccounts:
    """Return what an operator does to accounts, beside the services or while none runs.

    Their tables exist. What is announced waits in the outbox until the service tells it.
    """
    database, outbox = (
        around.database,
        Outbox(around.database, around.journal, around.clock, "auth"),
    )
    return OperateAccounts(
        SqlOperatedAccounts(database, outbox),
        SqlAccounts(database, outbox),
        SqlSecondFactors(database),
        Passwords(),
        around.clock,
    )


class _Wiring:
    """The adapters, and the use cases that several routes share."""

    def __init__(
        self, around: Surroundings, policy: Policy, keys: KeyRing, outbox: Outbox
    ) -> None:
        database, clock = around.database, around.clock
        self._around, self._policy, self._clock = around, policy, clock
        self.keys = keys
        self.passwords = Passwords(policy.password_cost)
        self.accounts = SqlAccounts(database, outbox)
        self.logins = SqlLogins(database, outbox)
        self.bots = SqlBots(database, outbox)
        self.devices = SqlDevices(database)
        self.addresses = SqlAddresses(database)
        self.second_factors = SqlSecondFactors(database)
        self.passkeys = SqlPasskeys(database)
        self.identities = SqlIdentities(database)
        self.challenges = StoreChallenges(around.store)
        self.denials = StoreDenials(around.store)
        self.errands = QueuedErrands()
        self.mailer = mailer_of(policy.mail, clock)
        self.providers = OidcProviders(policy.providers, clock)
        self.ceremonies = WebAuthnCeremonies(
            policy.passkey_domain,
            policy.title,
            policy.passkey_origins or [f"https://{policy.passkey_domain}"],
        )
        self._share()

    @classmethod
    async def open(cls, around: Surroundings, policy: Policy) -> "_Wiring":
        await migrate(around.database, "auth", files("sidetone.auth") / "migrations")
        keys = await KeyRing.open(around.database, around.clock, policy.token)
        return cls(around, policy, keys, await Outbox.open(around, "auth"))

    def _share(self) -> None:
        clock, policy = self._clock, self._policy
        self._codes = self._limiter("auth_code", policy.codes_per_account)
        self._mailbox = self._limiter("auth_mailbox", policy.mail_per_mailbox)
        self._per_network = self._limiter("auth_network", policy.requests_per_network)
        self._enter = self._throttle("auth_login", policy.login_per_address)
        self._mail = self._throttle("auth_mail", policy.mail_per_address)
        self.find_users = FindUsers(self.accounts)
        self.issue_grant = IssueGrant(self.devices, self._around.bus, self.keys, clock)
        self.begin_login = BeginLogin(self.logins, self.denials, self.keys, clock)
        self.admit = Admit(
            self.second_factors, self.passkeys, self.challenges, self.begin_login, clock
        )
        self.check_code = CheckCode(self.second_factors, self._codes, clock)
        self.prove = ProveIdentity(
            self.accounts,
            self.logins,
            self.passwords,
            self.second_factors,
            self.check_code,
            self._limiter("auth_proof", policy.proofs_per_account),
            clock,
        )
        self.tell_owner = TellOwner(self.addresses, self.mailer, self.errands, clock)
        self.edit_profile = EditProfile(self.accounts, self._around.bus, self.errands)
        self.manage_logins = ManageLogins(self.logins, self.denials, clock)
        self.manage_devices = ManageDevices(self.devices)
        self.manage_bots = ManageBots(self.bots, self.denials, self.edit_profile, clock)
        self.show_account = ShowAccount(
            self.accounts, self.addresses, self.second_factors, self.passkeys, clock
        )

    def login_routes(self) -> list[ControllerRouterHandler]:
        clock, policy = self._clock, self._policy
        per_account = self._limiter("auth_account", policy.login_per_account)
        per_both = self._limiter("auth_account_address", policy.login_per_account_and_address)
        registering = self._throttle("auth_register", policy.register_per_address)
        refreshing = self._throttle("auth_refresh", policy.refresh_per_address)
        return [
            *http_logins.entry_routes(
                Register(self.accounts, self.passwords, self.begin_login, registering, clock),
                LogIn(
                    self.accounts, self.passwords, self.admit, self._enter, per_account, per_both
                ),
            ),
            *http_logins.second_factor_routes(
                LogInWithCode(
                    self.accounts, self.challenges, self.check_code, self.begin_login, self._enter
                ),
                LogInWithPasskey(
                    self.accounts,
                    self.passkeys,
                    self.ceremonies,
                    self.challenges,
                    self.begin_login,
                    self._enter,
                    clock,
                ),
            ),
            *http_logins.token_routes(
                RefreshLogin(self.logins, self.denials, self.keys, refreshing, clock),
                LogOut(self.logins, self.denials),
            ),
            *http_logins.login_routes(self.manage_logins),
        ]

    def account_routes(self) -> list[ControllerRouterHandler]:
        clock, post = self._clock, (self.addresses, self.mailer, self.errands)
        return [
            *http_account.profile_routes(self.show_account, self.edit_profile),
            *http_account.password_routes(
                ChangePassword(
                    self.accounts, self.passwords, self.prove, self.denials, self.tell_owner
                ),
                AskReset(*post, self._mail, self._mailbox, clock),
                ResetPassword(
                    self.accounts, self.addresses, self.passwords, self.denials, self._mail, clock
                ),
            ),
            *http_account.address_routes(
                ManageAddress(*post, self.prove, self.tell_owner, self._mailbox, clock),
                VerifyAddress(self.addresses, self._mail, clock),
            ),
            *http_account.closing_routes(
                ExportAccount(
                    self.show_account,
                    self.manage_logins,
                    self.manage_bots,
                    self.manage_devices,
                    self.passkeys,
                    self.identities,
                ),
                CloseAccount(
                    self.accounts,
                    self.challenges,
                    self.denials,
                    self.prove,
                    self._around.bus,
                    self.errands,
                    clock,
                ),
            ),
        ]

    def factor_routes(self) -> list[ControllerRouterHandler]:
        totp = SetUpTotp(
            self.second_factors,
            self.prove,
            self.tell_owner,
            self._codes,
            self._policy.title,
            self._clock,
        )
        passkeys = ManagePasskeys(
            self.passkeys,
            self.ceremonies,
            self.challenges,
            self.prove,
            self.tell_owner,
            self._clock,
        )
        return [
            *http_factors.totp_routes(totp),
            *http_factors.totp_present_routes(totp),
            *http_factors.new_passkey_routes(passkeys),
            *http_factors.passkey_routes(passkeys),
        ]

    def provider_routes(self) -> list[ControllerRouterHandler]:
        begin = BeginProviderFlow(self.providers, self.challenges, self._enter, self._clock)
        finish = FinishProviderFlow(self.providers, self.challenges, self._enter)
        return [
            *http_providers.provider_routes(
                self.providers,
                begin,
                LogInWithProvider(
                    self.accounts,
                    self.identities,
                    self.challenges,
                    finish,
                    self.admit,
                    self._clock,
                ),
                RegisterWithProvider(
                    self.identities, self.challenges, self.begin_login, self._enter, self._clock
                ),
            ),
            *http_providers.identity_routes(
                self.identities,
                begin,
                LinkProvider(self.accounts, self.identities, finish, self._clock),
            ),
        ]

    def bot_and_people_routes(self) -> list[ControllerRouterHandler]:
        log_in_bot = LogInBot(self.bots, self.keys, self._enter, self._clock)
        return [
            *http_bots.bot_routes(self.manage_bots, log_in_bot),
            *http_bots.owned_bot_routes(self.manage_bots),
            *http_people.people_routes(self.find_users),
            *http_people.device_routes(
                RegisterDevice(self.devices, self._clock), self.manage_devices, self.issue_grant
            ),
            *http_people.link_routes(LinkDevice(self.devices, StoreLinks(self._around.store))),
            *http_people.key_routes(self.keys),
        ]

    def _limiter(self, name: str, limit: Limit) -> Limiter:
        return Limiter(self._around.store, name, limit)

    def _throttle(self, name: str, limit: Limit) -> Throttle:
        return Throttle(self._limiter(name, limit), self._per_network)
