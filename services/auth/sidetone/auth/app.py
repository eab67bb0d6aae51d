"""Auth, wired: give it its surroundings, get its routes."""

from importlib.resources import files

import msgspec
from litestar import Router

from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.find_user import FindUser
from sidetone.auth.application.issue_grant import IssueGrant
from sidetone.auth.application.log_in import LogIn
from sidetone.auth.application.log_out import LogOut
from sidetone.auth.application.refresh_login import RefreshLogin
from sidetone.auth.application.register import Register
from sidetone.auth.application.register_device import RegisterDevice
from sidetone.auth.infrastructure.sql import SqlAccounts, SqlDevices, SqlLogins
from sidetone.auth.infrastructure.sql_keys import load_signing_keys
from sidetone.auth.interface import http
from sidetone.auth.interface.questions import answer_questions
from sidetone.bus import Bus
from sidetone.credentials.limits import Limit, Limiter
from sidetone.credentials.passwords import Passwords
from sidetone.credentials.tokens import DEFAULT_POLICY, TokenPolicy
from sidetone.runtime.clock import Clock
from sidetone.storage import Database
from sidetone.storage.migrations import migrate

_MINUTE_MS = 60_000


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two servers; the limits are on in every one of them."""

    token: TokenPolicy = DEFAULT_POLICY
    login_per_account: Limit = Limit(5, _MINUTE_MS)
    login_per_address: Limit = Limit(20, _MINUTE_MS)
    register_per_address: Limit = Limit(10, _MINUTE_MS)


DEFAULT = Policy()


async def build(database: Database, bus: Bus, clock: Clock, policy: Policy = DEFAULT) -> Router:
    """Return the routes of auth. The caller owns *database* and *bus* and closes them."""
    await migrate(database, "auth", files("sidetone.auth") / "migrations")
    keys = await load_signing_keys(database, clock, policy.token)
    accounts, logins, devices = SqlAccounts(database), SqlLogins(database), SqlDevices(database)
    passwords = Passwords()
    begin_login = BeginLogin(logins, keys.token_signer, clock)
    issue_grant = IssueGrant(devices, bus, keys, clock)
    await answer_questions(bus, issue_grant, keys)
    return http.routes(
        *http.account_routes(
            Register(
                accounts, passwords, begin_login, Limiter(policy.register_per_address), clock
            ),
            LogIn(
                accounts,
                passwords,
                begin_login,
                Limiter(policy.login_per_account),
                Limiter(policy.login_per_address),
                clock,
            ),
        ),
        *http.login_routes(RefreshLogin(logins, keys.token_signer, clock), LogOut(logins)),
        *http.device_routes(RegisterDevice(devices, clock), issue_grant),
        *http.public_routes(keys, FindUser(accounts)),
    )
