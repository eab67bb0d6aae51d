"""``sidetone config``: what the environment says, and what it could say."""

import os
import sys

import click

from sidetone.all_in_one.deployables import DEPLOYABLES
from sidetone.all_in_one.settings_check import Finding, configured, judge, unused
from sidetone.all_in_one.settings_page import page

_NAMES = click.Choice(list(DEPLOYABLES))

config = click.Group("config", help="Check the settings of this machine, or list all there are.")


@config.command()
@click.argument("service", type=_NAMES, required=False)
def check(service: str | None) -> None:
    """Print what is set, wrong, missing or unused; secrets are masked.

    Without SERVICE all programs that something is set for are checked. The status is 1 where
    anything is wrong, missing or unused.
    """
    names = [service] if service else configured(os.environ)
    found = list(unused(os.environ))
    for name in names:
        click.echo(f"{DEPLOYABLES[name].command}:")
        judged = judge(name, os.environ)
        for finding in judged:
            click.echo(f"  {_line(finding)}")
        if not judged:
            click.echo("  nothing is set; every default holds")
        found += judged
    if not names:
        click.echo("No setting of Sidetone is in this environment.")
    for finding in found:
        if finding.verdict == "unused":
            click.echo(_line(finding))
    sys.exit(any(finding.verdict != "set" for finding in found))


@config.command("list")
@click.argument("service", type=_NAMES, required=False)
def list_all(service: str | None) -> None:
    """Print every variable with what it takes and its default, as Markdown."""
    click.echo(page([service] if service else DEPLOYABLES), nl=False)


def _line(finding: Finding) -> str:
    return f"{finding.verdict:<8} {finding.text}"
