import asyncio
import os
import sys
import wave
from asyncio.subprocess import PIPE
from pathlib import Path

import numpy as np
import pytest

from libs.client.tests.stage import PASSWORD, Home, pitch, tone
from sidetone.client.recording import Recording
from tests.waiting import until

BOT = Path(__file__).parents[3] / "docs" / "examples" / "talking_bot.py"


async def run_bot(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """Run the example with its data under *folder*; return its status and complaint."""
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        str(BOT),
        *arguments,
        env={**os.environ, "XDG_DATA_HOME": str(folder)},
        stderr=PIPE,
    )
    async with asyncio.timeout(90):
        _, complaint = await bot.communicate()
    return bot.returncode, complaint.decode()


def write_wav(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((tone(440, 2) * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.alone
async def test_the_example_bot_is_heard(home: Home, tmp_path: Path) -> None:
    async with home.unit():
        ada = await home.client()
        bot = await home.client(data_dir=tmp_path / "bot" / "sidetone" / "client")
        lounge = await home.lounge(ada, bot)
        heard = Recording()
        wav = await asyncio.to_thread(write_wav, tmp_path / "hello.wav")
        async with ada.join_voice(lounge.id, hear=heard) as call:
            arguments = (home.address, bot.user.name, PASSWORD, "Crew/Lounge", str(wav))
            status, complaint = await run_bot(tmp_path / "bot", *arguments)
            assert (status, complaint) == (0, "")
            await until(lambda: not call.peers)
    said = heard.of(bot.user.id)
    assert len(said) > 180
    assert pitch(said) == pytest.approx(440, abs=6)
    assert float(np.abs(said.samples()).max()) > 0.02


async def test_the_example_bot_complains_in_one_line(home: Home, tmp_path: Path) -> None:
    status, complaint = await run_bot(tmp_path, home.address, "nobody", PASSWORD, "Lounge", "x")
    assert status == 1
    assert complaint.count("\n") == 1
    assert PASSWORD not in complaint
