"""What may differ between two deployments of auth."""

from typing import Literal

import msgspec
from typing_extensions import override

from sidetone.auth.app import Policy
from sidetone.auth.infrastructure.mail import FolderMail, MailPolicy, NoMail, SmtpMail
from sidetone.auth.infrastructure.oidc import ProviderPolicy
from sidetone.runtime.deployment import Count, Days, HttpSettings, Port
from sidetone.runtime.limits import Limit
from sidetone.runtime.settings import Secret
from sidetone.runtime.start import StartError

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_AUTH_*``.

    *providers* is a JSON list of OpenID providers, each with ``id``, ``title``, ``issuer``,
    ``client_id`` and, where the provider gave one, ``client_secret``. Mail goes to *smtp_host* or
    into *mail_folder*; without either, passwords cannot be reset. Names of closed accounts are
    kept for ever where they are kept for zero days.
    """

    port: Port = 8101
    title: str = "Sidetone"
    logins_per_account_per_minute: Count = 5
    logins_per_account_and_address_per_hour: Count = 30
    logins_per_address_per_minute: Count = 20
    registrations_per_address_per_minute: Count = 10
    refreshes_per_address_per_minute: Count = 120
    mails_per_address_per_minute: Count = 5
    mails_per_mailbox_per_hour: Count = 3
    requests_per_network_per_minute: Count = 300
    proofs_per_account_per_minute: Count = 5
    codes_per_account_per_hour: Count = 10
    passkey_domain: str = "localhost"
    passkey_origins: list[str] = []  # noqa: RUF012 - msgspec gives each struct its own
    mail_sender: str = "sidetone@localhost"
    mail_folder: str = ""
    smtp_host: str = ""
    smtp_port: Port = 587
    smtp_user: str = ""
    smtp_password: Secret = ""
    smtp_security: Literal["tls", "starttls", "none"] = "starttls"
    providers: Secret = "[]"
    closed_accounts_kept_days: Days = 0

    @override
    def require_sound(self) -> None:
        super().require_sound()
        self.policy()

    def policy(self) -> Policy:
        """Return the settings as auth takes them. Raises ``StartError``."""
        return Policy(
            title=self.title,
            token=self.tokens(),
            register_per_address=_per_minute(self.registrations_per_address_per_minute),
            login_per_address=_per_minute(self.logins_per_address_per_minute),
            login_per_account=_per_minute(self.logins_per_account_per_minute),
            login_per_account_and_address=Limit(
                self.logins_per_account_and_address_per_hour, _HOUR_MS
            ),
            refresh_per_address=_per_minute(self.refreshes_per_address_per_minute),
            mail_per_address=_per_minute(self.mails_per_address_per_minute),
            mail_per_mailbox=Limit(self.mails_per_mailbox_per_hour, _HOUR_MS),
            requests_per_network=_per_minute(self.requests_per_network_per_minute),
            proofs_per_account=_per_minute(self.proofs_per_account_per_minute),
            codes_per_account=Limit(self.codes_per_account_per_hour, _HOUR_MS),
            passkey_domain=self.passkey_domain,
            passkey_origins=self.passkey_origins,
            mail=self._mail(),
            providers=self._providers(),
            closed_accounts_kept_days=self.closed_accounts_kept_days,
        )

    def _mail(self) -> MailPolicy:
        if self.smtp_host:
            return SmtpMail(
                self.smtp_host,
                self.smtp_port,
                self.mail_sender,
                self.smtp_user,
                self.smtp_password,
                self.smtp_security,
            )
        return FolderMail(self.mail_folder, self.mail_sender) if self.mail_folder else NoMail()

    def _providers(self) -> list[ProviderPolicy]:
        try:
            return msgspec.json.decode(self.providers, type=list[ProviderPolicy])
        except msgspec.MsgspecError as error:
            raise StartError(
                f"SIDETONE_AUTH_PROVIDERS cannot be used: {error}; correct it or leave it out"
            ) from None


def _per_minute(count: int) -> Limit:
    return Limit(count, _MINUTE_MS)
