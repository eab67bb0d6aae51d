"""Resident memory of a client that talks and listens, without a user interface.

A server of its own runs beside it; two clients talk to each other, the one that is measured in a
process of its own. Run as a program it is that client.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from sidetone.audio.devices import FileMicrophone, NullSpeaker
from sidetone.client.client import Client

SPEECH = Path("services/all_in_one/sidetone/all_in_one/demo/speech")
_PASSWORD = "nine quiet otters hum"
_SECONDS = 20.0


def measure() -> dict[str, Any]:
    """Return the figures; the server and both clients are gone afterwards."""
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    from libs.client.tests.stage import open_home

    with tempfile.TemporaryDirectory() as folder:
        async with open_home(Path(folder)) as home, home.unit():
            ada = await home.client()
            server = await ada.api.servers.create("Crew")
            invite = await ada.api.servers.invite(server.id)
            (lounge,) = (c for c in await ada.api.channels.of(server.id) if c.kind == "voice")
            voice = FileMicrophone(SPEECH / "ada.wav", loop=True)
            async with ada.join_voice(lounge.id, microphone=voice):
                child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "tests.load.talking_client",
                    home.address,
                    invite.code,
                    str(lounge.id),
                    folder,
                    stdout=subprocess.PIPE,
                )
                out, _ = await child.communicate()
    return json.loads(out.splitlines()[-1])


async def _talk(options: argparse.Namespace) -> dict[str, Any]:
    async with Client(options.address, data_dir=Path(options.folder) / "ben") as client:
        await client.register("ben", _PASSWORD)
        await client.api.servers.accept_invite(options.invite)
        voice = FileMicrophone(SPEECH / "ben.wav", loop=True)
        async with client.join_voice(
            UUID(options.channel), microphone=voice, speaker=NullSpeaker()
        ) as call:
            await asyncio.sleep(_SECONDS)
            stats = call.stats()
            return {
                "rss_mib": round(_resident_mib(), 1),
                "talking_frames": [stats.engine.packets_sent, stats.frames_opened],
            }


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not tell resident memory in /proc")


def main() -> None:
    """Be the client that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("address", "invite", "channel", "folder"):
        parser.add_argument(name)
    print(json.dumps(asyncio.run(_talk(parser.parse_args()))))


if __name__ == "__main__":
    main()
