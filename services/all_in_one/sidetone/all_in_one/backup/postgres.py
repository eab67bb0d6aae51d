"""A PostgreSQL database in and out of a backup, by PostgreSQL's own programs."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sidetone.all_in_one.backup import archive
from sidetone.runtime.start import StartError

_DUMP = "postgres.dump"
_CONNECT_SECONDS = 5
_TABLES = """
SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND nspname NOT LIKE 'pg\\_%'
    AND nspname <> 'information_schema'
"""


def collect(url: str, writer: archive.Writer, work: Path) -> None:
    """Take a dump of one moment into the backup. Raises ``StartError``.

    *work* is a folder with room for it. pg_dump reads in one snapshot, and holds nobody up.
    """
    with tempfile.TemporaryDirectory(dir=work, prefix=".sidetone-") as scratch:
        dump = Path(scratch) / _DUMP
        _run("pg_dump", url, ["--format=custom", "--compress=0", f"--file={dump}"])
        writer.add(_DUMP, dump)


def restore(path: Path, passphrase: str | None, url: str) -> None:
    """Load a backup that was checked into the empty database at *url*. Raises ``StartError``."""
    if _count_tables(url):
        raise StartError("the database is not empty: make a new one and restore into that")
    with tempfile.TemporaryDirectory(prefix="sidetone-") as scratch:
        archive.extract(path, passphrase, Path(scratch))
        how = ["--single-transaction", "--exit-on-error", str(Path(scratch) / _DUMP)]
        _run("pg_restore", url, how)


def _count_tables(url: str) -> int:
    """Return how many tables, views and sequences there are. Raises ``StartError``."""
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
            row = connection.execute(_TABLES).fetchone()
    except psycopg.ProgrammingError:
        raise _unreadable() from None
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise StartError(f"cannot open the PostgreSQL database: {reason}") from error
    return 0 if row is None else int(row[0])


def _run(program: str, url: str, arguments: list[str]) -> None:
    """Run one of PostgreSQL's programs; who lists processes must not read the password."""
    found = shutil.which(program)
    if found is None:
        raise StartError(
            f"{program} is not installed here: install PostgreSQL's client programs, of the "
            "server's version or a newer one"
        )
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise _unreadable() from None
    password = parts.pop("password", None)
    where = make_conninfo("", **cast("dict[str, Any]", parts))
    secret = {} if password is None else {"PGPASSWORD": str(password)}
    ran = subprocess.run(  # noqa: S603 - our own arguments
        [
            found,
            "--no-owner",
            "--no-privileges",
            f"--dbname={where}",
            *arguments,
        ],
        env={**os.environ, **secret},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or ["it says nothing"]
        raise StartError(f"{program} failed: {lines[-1]}; check the server and the URL")


def _unreadable() -> StartError:
    """Return the refusal of a URL; what libpq says of it would repeat the password in it."""
    return StartError("the URL of the PostgreSQL database cannot be read: write postgresql://...")
