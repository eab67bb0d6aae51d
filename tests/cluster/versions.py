"""Another version of the services, to run beside this one: the same code with additions.

It is what a version may do to the next under the rules of the protocol: fields are added to what
is stored, announced and answered, and nothing is taken away.
"""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where each added field goes: after a line of the file, once. Old and new must both do without it.
_ADDITIONS = {
    # On the wire to clients, in facts between services, and in the gateway's events.
    "libs/protocol/sidetone/protocol/messages.py": (
        "    nonce: str | None = None\n    call: Call | None = None\n",
        '    edition: str = "next"\n',
    ),
}
MARK = '"edition":"next"'


def next_version(folder: Path) -> str:
    """Make the next version of the services under *folder*; return its ``PYTHONPATH``."""
    members = [
        member
        for group in ("libs", "services")
        for member in sorted((ROOT / group).iterdir())
        if (member / "sidetone").is_dir()
    ]
    for member in (*members, ROOT / "voice-sfu"):
        shutil.copytree(
            member / "sidetone",
            folder / member.relative_to(ROOT) / "sidetone",
            ignore=shutil.ignore_patterns("__pycache__", "speech"),
        )
    for name, (line, added) in _ADDITIONS.items():
        text = (folder / name).read_text()
        assert text.count(line) == 1, f"{name} no longer has one {line!r}"
        (folder / name).write_text(text.replace(line, line + added))
    return os.pathsep.join(
        str(folder / member.relative_to(ROOT)) for member in (*members, ROOT / "voice-sfu")
    )
