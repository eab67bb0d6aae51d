"""Settings from an environment."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from sidetone.runtime.settings import load
from sidetone.runtime.start import StartError


class Settings(msgspec.Struct, frozen=True):
    database_url: str
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8000
    ratio: float = 0.5
    verbose: bool = False
    form: Literal["console", "json"] = "console"
    folder: Path | None = None
    names: list[str] = []


def test_every_type_is_read_from_text() -> None:
    found = load(
        Settings,
        "SIDETONE_CHAT",
        {
            "SIDETONE_CHAT_DATABASE_URL": "postgresql://chat",
            "SIDETONE_CHAT_PORT": "9000",
            "SIDETONE_CHAT_RATIO": "0.25",
            "SIDETONE_CHAT_VERBOSE": "true",
            "SIDETONE_CHAT_FORM": "json",
            "SIDETONE_CHAT_FOLDER": "/data",
            "SIDETONE_CHAT_NAMES": "a.example, b.example,",
            "CHAT_PORT": "tcp://10.0.0.1:80",
        },
    )
    assert found == Settings(
        "postgresql://chat", 9000, 0.25, True, "json", Path("/data"), ["a.example", "b.example"]
    )


def test_defaults_hold_where_nothing_is_set() -> None:
    assert load(Settings, "X", {"X_DATABASE_URL": "u"}) == Settings("u")


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://chat:secret@db\n")
    found = load(Settings, "X", {"X_DATABASE_URL_FILE": str(secret)})
    assert found.database_url == "postgresql://chat:secret@db"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, ["X_DATABASE_URL", "not set"]),
        ({"X_DATABASE_URL": "u", "X_PORT": "many"}, ["X_PORT", "int"]),
        ({"X_DATABASE_URL": "u", "X_PORT": "70000"}, ["X_PORT", "65535"]),
        ({"X_DATABASE_URL": "u", "X_VERBOSE": "perhaps"}, ["X_VERBOSE", "bool"]),
        ({"X_DATABASE_URL": "u", "X_FORM": "xml"}, ["X_FORM"]),
        ({"X_DATABASE_URL_FILE": "/does/not/exist"}, ["X_DATABASE_URL_FILE", "/does/not/exist"]),
        ({"X_DATABASE_URL_FILE": "/"}, ["X_DATABASE_URL_FILE", "cannot be read"]),
        ({"X_DATABASE_URL": "u", "X_DATABASE_URL_FILE": "f"}, ["both set"]),
    ],
)
def test_a_wrong_setting_is_one_clear_line(environment: dict[str, str], words: list[str]) -> None:
    with pytest.raises(StartError) as error:
        load(Settings, "X", environment)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_an_error_does_not_repeat_the_value() -> None:
    with pytest.raises(StartError) as error:
        load(Settings, "X", {"X_DATABASE_URL": "u", "X_PORT": "hunter2"})
    assert "hunter2" not in str(error.value)
