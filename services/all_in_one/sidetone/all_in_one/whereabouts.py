"""Where the processes of this machine listen, by the settings that they read themselves."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from sidetone.all_in_one.deployables import DEPLOYABLES
from sidetone.all_in_one.settings_check import configured
from sidetone.runtime.deployment import HttpSettings
from sidetone.runtime.settings import variables
from sidetone.voice_sfu.infrastructure.workers import places
from sidetone.voice_sfu.settings import WorkerSettings

S = TypeVar("S", bound=msgspec.Struct)

_SERVE = "https://127.0.0.1:7700"
# Who listens everywhere is asked on this machine.
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - nobody listens here


class Whereabout(NamedTuple):
    """A process that may run here; *expected*, where somebody has set anything for it."""

    command: str
    url: str
    expected: bool


class _Door(msgspec.Struct, frozen=True):
    """Of the settings of a service, those that say where it answers."""

    host: str
    port: int
    tls_folder: object


def whereabouts(environment: Mapping[str, str]) -> Iterator[Whereabout]:
    """Yield every process that may run here, by *environment* and what holds without it.

    One that takes any free port, or none, cannot be found. Raises ``StartError`` for a setting
    that cannot be used.
    """
    spoken_of = configured(environment)
    yield Whereabout(DEPLOYABLES["serve"].command, _SERVE, expected=False)
    for name, deployable in DEPLOYABLES.items():
        for kind, prefix in deployable.parts:
            if issubclass(kind, HttpSettings):
                urls = _of_service(kind, prefix, environment)
            elif name == "sfu":
                urls = _of_workers(prefix, environment)
            else:
                continue
            for url in urls:
                yield Whereabout(deployable.command, url, expected=name in spoken_of)


def _of_service(
    kind: type[msgspec.Struct], prefix: str, environment: Mapping[str, str]
) -> Iterator[str]:
    door = _read(_Door, kind, prefix, environment)
    if door.port:
        yield _url("https" if door.tls_folder else "http", door.host, door.port)


def _of_workers(prefix: str, environment: Mapping[str, str]) -> Iterator[str]:
    workers = _read(WorkerSettings, WorkerSettings, prefix, environment)
    for place in places(workers.count(), 0, workers.metrics_port):
        if place.metrics_port:
            yield _url("http", workers.metrics_host, place.metrics_port)


def _read(
    wanted: type[S], kind: type[msgspec.Struct], prefix: str, environment: Mapping[str, str]
) -> S:
    """Return the fields of *wanted* as *kind* has them; what else *kind* needs may be missing."""
    names = {field.name for field in msgspec.structs.fields(wanted)}
    found: dict[str, object] = {}
    for variable in variables(kind, prefix):
        field = variable.field
        if field.name in names:
            value = variable.read(environment)
            found[field.name] = field.default if value is msgspec.UNSET else value
    return wanted(**found)


def _url(scheme: str, host: str, port: int) -> str:
    if host in _EVERYWHERE:
        host = "127.0.0.1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
