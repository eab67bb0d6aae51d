"""Passphrases and passwords come in files: a command line is seen by whoever lists processes."""

from pathlib import Path

import click


def _read(_: click.Context, __: click.Parameter, path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        words = path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise click.ClickException(f"the secret in {path} cannot be read: {error}") from None
    if not words:
        raise click.ClickException(f"{path} is empty: write the secret into it")
    return words


passphrase_option = click.option(
    "--passphrase-file",
    "passphrase",
    type=click.Path(path_type=Path),
    callback=_read,
    help="A file with the passphrase that seals and opens the backup.",
)
password_option = click.option(
    "--password-file",
    "password",
    type=click.Path(path_type=Path),
    callback=_read,
    help="A file with the password.  [default: one is made]",
)
