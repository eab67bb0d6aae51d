"""Where ``sidetone status`` looks, and what it says of what is not there."""

import os

import pytest
from click.testing import CliRunner, Result

from sidetone.all_in_one.__main__ import main
from sidetone.all_in_one.whereabouts import Whereabout, whereabouts
from sidetone.runtime.start import StartError
from tests import engines

CHAT = {"SIDETONE_CHAT_DATABASE_URL": "postgresql://db/sidetone"}


def found(**environment: str) -> dict[str, list[Whereabout]]:
    places: dict[str, list[Whereabout]] = {}
    for place in whereabouts(environment):
        places.setdefault(place.command.split()[-1], []).append(place)
    return places


def urls(**environment: str) -> dict[str, list[str]]:
    return {name: [each.url for each in places] for name, places in found(**environment).items()}


def test_where_nothing_is_set_every_default_is_tried_and_nothing_expected() -> None:
    assert urls() == {
        "serve": ["https://127.0.0.1:7700"],
        "auth": ["http://127.0.0.1:8101"],
        "chat": ["http://127.0.0.1:8102"],
        "voice": ["http://127.0.0.1:8103"],
        "presence": ["http://127.0.0.1:8104"],
        "media": ["http://127.0.0.1:8105"],
        "gateway": ["http://127.0.0.1:8106"],
        "integrations": ["http://127.0.0.1:8107"],
        "search-indexer": ["http://127.0.0.1:8109"],
    }
    assert not any(place.expected for places in found().values() for place in places)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HOST": "10.0.0.5", "TLS_FOLDER": "/tls"}, "https://10.0.0.5:8102"),
        ({"HOST": "0.0.0.0", "TLS_FOLDER": "/tls"}, "https://127.0.0.1:8102"),
        ({"HOST": "::", "TLS_FOLDER": "/tls"}, "https://127.0.0.1:8102"),
        ({"HOST": "fd00::5", "TLS_FOLDER": "/tls"}, "https://[fd00::5]:8102"),
    ],
)
def test_a_service_is_where_its_settings_say(settings: dict[str, str], url: str) -> None:
    environment = {f"SIDETONE_CHAT_{name}": value for name, value in settings.items()}
    places = found(**environment)
    assert places["chat"] == [Whereabout("sidetone service chat", url, expected=True)]
    assert not places["auth"][0].expected


def test_a_service_on_any_free_port_cannot_be_found() -> None:
    assert "chat" not in urls(**CHAT, SIDETONE_CHAT_PORT="0")


def test_voice_nodes_are_where_their_metrics_are() -> None:
    ports = {"SIDETONE_SFU_METRICS_PORT": "9100", "SIDETONE_SFU_WORKERS": "2"}
    assert "sfu" not in urls(SIDETONE_SFU_WORKERS="2")
    assert urls(**ports)["sfu"] == ["http://127.0.0.1:9100", "http://127.0.0.1:9101"]
    # A whole server reads these as well, and may have been told another number of workers.
    assert not any(place.expected for place in found(**ports)["sfu"])
    apart = found(**ports, SIDETONE_SFU_BUS="nats://127.0.0.1:4222")["sfu"]
    assert all(place.expected for place in apart)


def test_a_setting_that_cannot_be_used_is_told() -> None:
    with pytest.raises(StartError, match="SIDETONE_CHAT_PORT cannot be used"):
        urls(SIDETONE_CHAT_PORT="many")
    shown = status(SIDETONE_CHAT_PORT="many")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: SIDETONE_CHAT_PORT cannot be used")


def test_what_is_set_up_and_does_not_run_is_one_line() -> None:
    port = engines.free_port()
    shown = status(**CHAT, SIDETONE_CHAT_PORT=str(port))
    (line,) = [line for line in (shown.stdout + shown.stderr).splitlines() if str(port) in line]
    assert line.startswith(f"http://127.0.0.1:{port} does not answer: ")
    assert line.endswith("; start it with sidetone service chat")
    assert shown.exit_code in {1, 2}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid:1", "nonsense"])
def test_an_address_that_leads_nowhere_is_one_line(url: str) -> None:
    shown = status(url)
    assert shown.exit_code == 1
    assert shown.stdout == ""
    (line,) = shown.stderr.splitlines()
    assert line.startswith(f"{url} does not answer: ")


def status(*arguments: str, **environment: str) -> Result:
    """Return what is said where nothing else of ours is in the environment."""
    clean: dict[str, str | None] = dict.fromkeys(name for name in os.environ if "SIDETONE" in name)
    return CliRunner().invoke(main, ["status", *arguments], env={**clean, **environment})
