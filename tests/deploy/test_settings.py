"""What containers are told is what their programs read, in Kubernetes and in compose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sidetone.runtime.settings import load
from tests.deploy.rendered import (
    OVERLAYS,
    ROOT,
    SECRET_FIELDS,
    SETTINGS,
    Doc,
    compose,
    module_of,
    name,
    of,
    pods,
    rendered,
)

# What a secret may be, so that the settings can be read.
SAMPLES = {"bus": "nats://user:word@nats:4222", "providers": "[]"}
HOST_OF_NODE = "192.0.2.7"


def in_kubernetes(overlay: str) -> list[tuple[str, dict[str, str]]]:
    """Return the module and the variables of each container of ours."""
    docs = rendered(overlay)
    maps = {name(doc): doc["data"] for doc in of(docs, "ConfigMap")}
    return [
        (module, {entry["name"]: _value(entry, maps) for entry in container["env"]})
        for pod in pods(docs)
        for container in pod.spec["containers"]
        if (module := module_of(container))
    ]


def _value(entry: Doc, maps: dict[str, dict[str, str]]) -> str:
    if "value" in entry:
        return entry["value"]
    if "fieldRef" in entry["valueFrom"]:
        return HOST_OF_NODE
    reference = entry["valueFrom"]["configMapKeyRef"]
    return maps[reference["name"]][reference["key"]]


def in_compose() -> list[tuple[str, dict[str, str]]]:
    found = []
    for service in compose()["services"].values():
        words = service.get("command") or []
        module = next((word for word in words if word in SETTINGS), None)
        if module:
            variables: dict[str, Any] = service["environment"]
            found.append((module, {key: str(value) for key, value in variables.items()}))
    return found


SOURCES: list[Callable[[], list[tuple[str, dict[str, str]]]]] = [
    *(lambda overlay=overlay: in_kubernetes(overlay) for overlay in OVERLAYS),
    in_compose,
]
sources = pytest.mark.parametrize("source", SOURCES, ids=[*OVERLAYS, "compose"])


@sources
def test_every_program_of_ours_runs_once(
    source: Callable[[], list[tuple[str, dict[str, str]]]],
) -> None:
    assert sorted(module for module, _ in source()) == sorted(SETTINGS)


@sources
def test_every_variable_is_one_that_its_program_reads(
    source: Callable[[], list[tuple[str, dict[str, str]]]], tmp_path: Path
) -> None:
    for module, variables in source():
        prefix, kind = SETTINGS[module]
        fields = {f"{prefix}_{field.name}".upper(): field.name for field in _fields(kind)}
        for variable in variables:
            assert variable.removesuffix("_FILE") in fields, f"{module} reads no {variable}"
        # It starts with them: nothing is missing, and each can be read.
        given = {key: _readable(key, value, tmp_path, fields) for key, value in variables.items()}
        load(kind, prefix, given)


@sources
def test_secrets_are_files(source: Callable[[], list[tuple[str, dict[str, str]]]]) -> None:
    for module, variables in source():
        prefix, kind = SETTINGS[module]
        secret = {f"{prefix}_{field.name}".upper() for field in _fields(kind)} & {
            f"{prefix}_{field}".upper() for field in SECRET_FIELDS
        }
        assert not secret & set(variables)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_containers_open_the_port_that_their_program_serves(overlay: str, tmp_path: Path) -> None:
    for pod in pods(rendered(overlay)):
        for container in pod.spec["containers"]:
            module = module_of(container)
            if module and module != "sidetone.voice_sfu":
                port = next(f for f in _fields(SETTINGS[module][1]) if f.name == "port").default
                assert [each["containerPort"] for each in container["ports"]] == [port]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_worker_of_a_voice_node_has_its_port_of_the_machine(overlay: str) -> None:
    pod = next(pod for pod in pods(rendered(overlay)) if pod.name == "voice-node")
    (container,) = pod.spec["containers"]
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    workers = int(variables["SIDETONE_SFU_WORKERS"] or 0)
    by_name = {port["name"]: port for port in container["ports"]}
    for index in range(workers):
        voice, metrics = by_name[f"voice-{index}"], by_name[f"metrics-{index}"]
        assert voice["containerPort"] == int(variables["SIDETONE_SFU_PORT"] or 0) + index
        # The port that a node announces is the one that it listens on.
        assert voice["hostPort"] == voice["containerPort"]
        assert voice["protocol"] == "UDP"
        first = int(variables["SIDETONE_SFU_METRICS_PORT"] or 0)
        assert metrics["containerPort"] == first + index


def test_prometheus_knows_where_each_service_of_compose_is() -> None:
    text = (ROOT / "infra" / "observability" / "prometheus.yml").read_text()
    for module, (_, kind) in SETTINGS.items():
        if module != "sidetone.voice_sfu":
            port = next(field for field in _fields(kind) if field.name == "port").default
            assert f"names: [{module.partition('.')[2]}], type: A, port: {port}" in text


def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _readable(key: str, value: str, folder: Path, fields: dict[str, str]) -> str:
    """Return *value*, or for a file the path of one that can be read here."""
    if not key.endswith("_FILE") or key in fields:
        return value
    field = fields[key.removesuffix("_FILE")]
    file = folder / field
    file.write_text(SAMPLES.get(field, "sample"))
    return str(file)
