"""``sidetone sfu``: this machine's voice nodes, beside services that run apart."""

import runpy
import sys

import click


@click.command()
@click.option("--workers", help="Voice node processes.  [default: one per core]")
def sfu(workers: str | None) -> None:
    """Run this machine's voice nodes on NATS, with SIDETONE_SFU_… from the environment.

    `sidetone config list sfu` names every setting.
    """
    # The module is a program of its own, which reads its own command line.
    sys.argv = ["sidetone sfu", *(["--workers", workers] if workers else [])]
    runpy.run_module("sidetone.voice_sfu", run_name="__main__", alter_sys=True)
