"""``sidetone config`` as an operator meets it."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidetone.all_in_one.__main__ import main

ROOT = Path(__file__).parents[3]
CHAT = {"SIDETONE_CHAT_DATABASE_URL": "postgresql://chat:hunter2@db/sidetone"}


def config(*arguments: str, **environment: str) -> tuple[int, str]:
    """Return the status and what is said where nothing else of ours is in the environment."""
    clean: dict[str, str | None] = dict.fromkeys(name for name in os.environ if "SIDETONE" in name)
    done = CliRunner().invoke(main, ["config", *arguments], env={**clean, **environment})
    assert done.stderr == ""
    return done.exit_code, done.stdout


def test_what_is_set_is_shown_and_no_secret_is(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file")
    status, said = config(
        "check",
        **CHAT,
        SIDETONE_CHAT_TYPESENSE_API_KEY="from the environment",
        SIDETONE_AUTH_DATABASE_URL_FILE=str(file),
        SIDETONE_AUTH_PROVIDERS='[{"id": "a", "client_secret": "of a provider"',
    )
    assert status == 1
    assert "set      SIDETONE_CHAT_DATABASE_URL = postgresql://chat:***@db/sidetone\n" in said
    assert "set      SIDETONE_CHAT_TYPESENSE_API_KEY = ***\n" in said
    assert f"set      SIDETONE_AUTH_DATABASE_URL_FILE = the content of {file}\n" in said
    assert "wrong    SIDETONE_AUTH_PROVIDERS cannot be used" in said
    for secret in ("hunter2", "from the file", "from the environment", "of a provider"):
        assert secret not in said


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["chat"], {}, "missing  SIDETONE_CHAT_DATABASE_URL is not set; set it, or"),
        ([], {**CHAT, "SIDETONE_CHAT_PORT": "many"}, "wrong    SIDETONE_CHAT_PORT cannot be"),
        ([], {**CHAT, "SIDETONE_CHAT_HOST": "0.0.0.0"}, "wrong    plain HTTP is for this machine"),
        (
            ["media"],
            {"SIDETONE_MEDIA_DATABASE_URL": "x"},
            "wrong    media has no place for files; set SIDETONE_MEDIA_S3_URL",
        ),
        (
            [],
            {**CHAT, "SIDETONE_CHAT_PROT": "1"},
            "unused   SIDETONE_CHAT_PROT: did you mean SIDETONE_CHAT_PORT?",
        ),
        ([], {"SIDETONE_QWXZ": "1"}, "unused   SIDETONE_QWXZ: this version has no such setting"),
    ],
)
def test_what_is_not_right_is_one_line_and_a_status(
    arguments: list[str], environment: dict[str, str], line: str
) -> None:
    status, said = config("check", *arguments, **environment)
    assert status == 1
    assert [each for each in said.splitlines() if each.strip().startswith(line)], said


def test_what_is_right_has_the_status_0_and_only_what_is_set_is_checked() -> None:
    status, said = config("check", **CHAT, SIDETONE_SFU_WORKERS="2")
    assert status == 0
    # Two programs read the number of workers; `serve` is the one that needs nothing else.
    assert "sidetone service chat:" in said
    assert "sidetone serve:\n  set      SIDETONE_SFU_WORKERS = 2\n" in said
    assert "sidetone sfu:" not in said
    assert config("check") == (0, "No setting of Sidetone is in this environment.\n")


def test_the_page_of_settings_is_up_to_date() -> None:
    status, said = config("list")
    assert status == 0
    assert (ROOT / "docs" / "settings.md").read_text() == said, (
        "write it anew: sidetone config list > docs/settings.md"
    )
