"""``sidetone vectors``: check this build of VX1 against a file of test vectors."""

from pathlib import Path

import click

from sidetone.e2ee.vectors import Mismatch, check


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def vectors(file: Path) -> None:
    """Check FILE and print one line per group; fail on the first mismatch."""
    try:
        document = file.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from None
    try:
        for line in check(document):
            click.echo(line)
    except Mismatch as mismatch:
        raise click.ClickException(str(mismatch)) from None
