"""What may differ between two deployments of media."""

from pathlib import Path

from typing_extensions import override

from sidetone.runtime.deployment import Count, HttpSettings, Port
from sidetone.runtime.settings import Secret
from sidetone.runtime.start import StartError


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_MEDIA_*``.

    Files go to the bucket *s3_bucket* at *s3_url*, or without these to *files_folder*, which all
    processes of the service must share. *s3_public_url* is how clients reach the same store.
    *clamd* is ``host:port`` or the socket of the virus scanner; without it nothing is scanned.
    """

    port: Port = 8105
    files_folder: Path | None = None
    s3_url: str | None = None
    s3_bucket: str = "sidetone"
    s3_access_key: str = ""
    s3_secret_key: Secret = ""
    s3_region: str = "us-east-1"
    s3_public_url: str | None = None
    clamd: str | None = None
    attachment_bytes_max: Count = 25 * 1024 * 1024
    bytes_per_user_per_day_max: Count = 500 * 1024 * 1024
    uploads_per_user_per_minute: Count = 60

    @override
    def require_sound(self) -> None:
        super().require_sound()
        if self.s3_url is None and self.files_folder is None:
            raise StartError(
                "media has no place for files; "
                "set SIDETONE_MEDIA_S3_URL or SIDETONE_MEDIA_FILES_FOLDER"
            )
