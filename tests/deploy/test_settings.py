"""What containers are told is what their programs read, in Kubernetes and in compose."""

from pathlib import Path

import msgspec
import pytest

from sidetone.runtime.settings import load
from tests.deploy.containers import containers, each_deployment
from tests.deploy.rendered import OVERLAYS, PROGRAMS, ROOT, pods, program_of, rendered, settings_of

# What nobody may read in a manifest: its variable names a file.
SECRET_FIELDS = {
    "database_url", "providers", "s3_secret_key", "smtp_password", "typesense_api_key",
    "typesense_search_key", "valkey_url",
}  # fmt: skip
# What a secret may be, so that the settings can be read.
SAMPLES = {"providers": "[]"}


def ours(deployment: str) -> list[tuple[str, dict[str, str]]]:
    """Return the program and the variables of each container of ours."""
    return [(each.program, each.variables) for each in containers(deployment) if each.program]


@each_deployment
def test_every_program_of_ours_runs_once(deployment: str) -> None:
    assert sorted(program for program, _ in ours(deployment)) == sorted(PROGRAMS)


@each_deployment
def test_every_variable_is_one_that_its_program_reads(deployment: str, tmp_path: Path) -> None:
    for program, variables in ours(deployment):
        kind, prefix = settings_of(program)
        fields = {f"{prefix}_{field.name}".upper(): field.name for field in _fields(kind)}
        for variable in variables:
            assert variable.removesuffix("_FILE") in fields, f"{program} reads no {variable}"
        # It starts with them: nothing is missing, and each can be read.
        given = {key: _readable(key, value, tmp_path, fields) for key, value in variables.items()}
        load(kind, prefix, given)


@each_deployment
def test_secrets_are_files(deployment: str) -> None:
    for program, variables in ours(deployment):
        kind, prefix = settings_of(program)
        secret = {f"{prefix}_{field.name}".upper() for field in _fields(kind)} & {
            f"{prefix}_{field}".upper() for field in SECRET_FIELDS
        }
        assert not secret & set(variables)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_containers_open_the_port_that_their_program_serves(overlay: str, tmp_path: Path) -> None:
    for pod in pods(rendered(overlay)):
        for container in pod.spec["containers"]:
            program = program_of(container.get("args", []))
            if program and program != "sfu":
                assert [each["containerPort"] for each in container["ports"]] == [_port(program)]


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
    for program in PROGRAMS:
        if program != "sfu":
            assert f"names: [{program}], type: A, port: {_port(program)}" in text


def _port(program: str) -> int:
    kind, _ = settings_of(program)
    return next(field for field in _fields(kind) if field.name == "port").default


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
