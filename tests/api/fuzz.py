"""Fuzz the whole interface by its OpenAPI document: ``python -m tests.api.fuzz --examples 40``.

Schemathesis asks every route what the document says it takes, and what it says it does not, with
the ids of things that exist. No answer may be a 5xx, have a status that the document does not
name, or look unlike its schema.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path

from tests.api.town import Town, open_town, requests_of

# A rule of the domain may refuse what the schema allows: a taken name, a permission one lacks.
_REFUSED = "[200, 201, 202, 204, 302, 304, 401, 403, 404, 409, 422, 429]"
# What would leave nothing to ask about is asked of what is not needed any more.
_DESTRUCTIVE = ("delete_server", "delete_channel", "delete_role", "transfer_server")
_SUMMARY = re.compile(r"(\d+) generated")


@dataclass(frozen=True)
class Findings:
    """What came of it, and how many requests were made."""

    clean: bool
    cases: int
    output: str


async def fuzz(folder: Path, examples: int, seed: int) -> Findings:
    """Run a server in *folder* and ask *examples* of each route, in each phase."""
    async with open_town(folder) as town:
        config = folder / "schemathesis.toml"
        config.write_text(await _config(town))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{town.url}/openapi.json", "--checks", "all"),
            *("--max-examples", str(examples), "--seed", str(seed), "--no-shrink"),
            *("--continue-on-failure", "--warnings", "off"),
            stdout=PIPE,
            stderr=STDOUT,
            cwd=folder,
        )
        raw, _ = await process.communicate()
    output = raw.decode()
    found = _SUMMARY.search(output)
    return Findings(process.returncode == 0, int(found[1]) if found else 0, output)


async def _config(town: Town) -> str:
    login = await requests_of(town.ada).fresh_login()
    things = {**town.things, "code": town.things["invite"]}
    lines = [
        "tls-verify = false",
        f'headers = {{ Authorization = "Bearer {login.access_token}" }}',
        _table("parameters", {f"path.{name}": thing for name, thing in things.items()}),
        "[checks.positive_data_acceptance]",
        f"expected-statuses = {_REFUSED}",
    ]
    for operation in _DESTRUCTIVE:
        lines += ["[[operations]]", f'include-operation-id = "{operation}"']
        lines += [_inline({f"path.{name}": thing for name, thing in town.spare.items()})]
    return "\n".join(lines) + "\n"


def _table(name: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f'"{key}" = "{value}"' for key, value in values.items())])


def _inline(values: dict[str, str]) -> str:
    pairs = ", ".join(f'"{key}" = "{value}"' for key, value in values.items())
    return f"parameters = {{ {pairs} }}"


def main() -> None:
    """Print what was found, and fail if that is anything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sidetone-") as folder:
        findings = asyncio.run(fuzz(Path(folder), options.examples, options.seed))
    print(findings.output)
    sys.exit(0 if findings.clean else 1)


if __name__ == "__main__":
    main()
