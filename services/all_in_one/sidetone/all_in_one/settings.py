"""What may differ between two servers on one machine."""

import msgspec

import sidetone.auth.app
import sidetone.chat.app
import sidetone.gateway.app
from sidetone.all_in_one.app import Policies
from sidetone.all_in_one.data_folder import DataFolder
from sidetone.auth.infrastructure.mail import FolderMail
from sidetone.runtime.deployment import Count, Days, per_second
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.limits import Limit

_MINUTE_MS = 60_000


class Settings(msgspec.Struct, frozen=True):
    """What is seldom changed: ``SIDETONE_…`` in the environment.

    *limits_factor* raises every limit on how often something may be done: tests and benches ask
    faster than people. *traces_endpoint* takes OTLP over HTTP; without it nothing is traced. What
    is kept for zero days is kept for ever.
    """

    registrations_per_minute: Count = 10
    logins_per_minute: Count = 20
    logins_per_minute_and_account: Count = 5
    messages_per_channel_per_second: Count = 1
    requests_per_caller_per_second: Count = 50
    requests_per_address_per_second: Count = 20
    cors_origins: list[str] = []
    limits_factor: Count = 1
    traces_endpoint: str = ""
    messages_kept_days: Days = 0
    closed_accounts_kept_days: Days = 0

    def policies(self, folder: DataFolder) -> Policies:
        """Return the limits as the services take them."""
        policies = Policies(
            http=HttpPolicy(
                per_caller=per_second(self.requests_per_caller_per_second),
                per_address=per_second(self.requests_per_address_per_second),
                cors_origins=self.cors_origins,
            ),
            auth=sidetone.auth.app.Policy(
                register_per_address=Limit(self.registrations_per_minute, _MINUTE_MS),
                login_per_address=Limit(self.logins_per_minute, _MINUTE_MS),
                login_per_account=Limit(self.logins_per_minute_and_account, _MINUTE_MS),
                mail=FolderMail(str(folder.mail)),
                closed_accounts_kept_days=self.closed_accounts_kept_days,
            ),
            chat=sidetone.chat.app.Policy(
                messages_per_channel=Limit(5 * self.messages_per_channel_per_second, 5_000),
                messages_kept_days=self.messages_kept_days,
            ),
            gateway=sidetone.gateway.app.Policy(origins=self.cors_origins),
        )
        return policies.with_limits_raised(self.limits_factor)


class DatabaseSettings(msgspec.Struct, frozen=True):
    """Where the database is, for commands that work on it: a password is no part of a command.

    What the command line says counts more.
    """

    database_url: str | None = None
