"""``sidetone admin nats-config``: a NATS server on which every service has its own user."""

from pathlib import Path

import click

from sidetone.all_in_one.nats_config.folder import Folder, Listening, service_grants
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run

FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("nats"),
    show_default=True,
    help="Where keys and credentials are. Whoever has it may do everything.",
)


@click.command("nats-config")
@FOLDER
@click.option(
    "--name",
    "names",
    multiple=True,
    default=("localhost", "127.0.0.1"),
    show_default=True,
    help="A host name or address by which services reach the server; once for each.",
)
@click.option("--data", default="/var/lib/nats", show_default=True, help="Where it keeps streams.")
@click.option("--mounted-at", help="Where --folder is for the server; the same place by default.")
@click.option("--host", default="0.0.0.0", show_default=True, help="Where it listens.")  # noqa: S104
@click.option("--port", default=4222, show_default=True)
@click.option("--monitor", default="127.0.0.1:8222", show_default=True, help="For its metrics.")
@click.option(
    "--server",
    "version",
    type=click.Choice(["2.10", "2.9"]),
    default="2.10",
    show_default=True,
    help="From which version on it works; 2.9 cannot sync each write to disk.",
)
def nats_config(  # noqa: PLR0913, PLR0917 - one for each option
    folder: Path,
    names: tuple[str, ...],
    data: str,
    mounted_at: str | None,
    host: str,
    port: int,
    monitor: str,
    version: str,
) -> None:
    """Write the configuration of a NATS server on which nobody may do too much.

    Each service gets a file of credentials for what its code says and hears, and no more. Run it
    again after an upgrade: keys stay, rights follow the code.
    """
    listening = Listening(
        names=list(names),
        folder=mounted_at or str(folder.resolve()),
        data=data,
        host=host,
        port=port,
        monitor=monitor,
        syncs=version != "2.9",
    )

    async def main() -> None:
        Folder(folder).write(listening, SystemClock().now_ms())

    run(main)
    click.echo(f"Start the server with: nats-server -c {listening.folder}/nats.conf")
    click.echo("Give each service its file and the certificate authority, for chat:")
    click.echo(f"  SIDETONE_CHAT_NATS_URL=tls://{names[0]}:{port}")
    click.echo(f"  SIDETONE_CHAT_NATS_CREDENTIALS={folder}/credentials/chat.creds")
    click.echo(f"  SIDETONE_CHAT_NATS_CA={folder}/tls/ca.pem")
    click.echo(f"Users: {', '.join(sorted(service_grants()))}.")
