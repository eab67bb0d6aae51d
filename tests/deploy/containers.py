"""Containers as compose and each overlay start them: what they run, are told and get to see."""

from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

from tests.deploy.rendered import (
    OVERLAYS,
    Doc,
    Pod,
    compose,
    name,
    of,
    pods,
    program_of,
    rendered,
)

COMPOSE = "compose"
DEPLOYMENTS = (*OVERLAYS, COMPOSE)
each_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS)
HOST_OF_NODE = "192.0.2.7"


class Container(NamedTuple):
    """A container, of others or of ours: *name* is its service in compose, or its pod.

    *mounts* are its secrets: paths inside, and where in the folder of ``./just secrets`` they are.
    """

    name: str
    words: list[str]
    variables: dict[str, str]
    mounts: dict[str, str]

    @property
    def program(self) -> str | None:
        return program_of(self.words)

    def files(self, made: Path) -> dict[str, Path]:
        """Return what is mounted of the folder *made*, by the path inside."""
        found = {}
        for path, source in self.mounts.items():
            if (made / source).is_dir():
                found |= {f"{path}/{file.name}": file for file in (made / source).iterdir()}
            else:
                found[path] = made / source
        return found


def containers(deployment: str) -> list[Container]:
    """Return everything that compose or an overlay starts."""
    return _in_compose() if deployment == COMPOSE else _in_kubernetes(deployment)


def _in_kubernetes(overlay: str) -> list[Container]:
    docs = rendered(overlay)
    maps = {name(doc): doc["data"] for doc in of(docs, "ConfigMap")}
    return [
        Container(
            pod.name,
            [*container.get("command", []), *container.get("args", [])],
            {entry["name"]: _value(entry, maps) for entry in container.get("env", [])},
            _mounts(pod, container),
        )
        for pod in pods(docs)
        for container in pod.containers
    ]


def _in_compose() -> list[Container]:
    files = {
        name: entry["file"].removeprefix("./compose/secrets/")
        for name, entry in compose()["secrets"].items()
    }
    return [
        Container(
            service,
            spec.get("command", []),
            {key: str(value) for key, value in spec.get("environment", {}).items()},
            {
                str(PurePosixPath("/run/secrets", entry["target"])): files[entry["source"]]
                for entry in spec.get("secrets", [])
            },
        )
        for service, spec in compose()["services"].items()
    ]


def _value(entry: Doc, maps: dict[str, dict[str, str]]) -> str:
    if "value" in entry:
        return entry["value"]
    if "fieldRef" in entry["valueFrom"]:
        return HOST_OF_NODE
    reference = entry["valueFrom"]["configMapKeyRef"]
    return maps[reference["name"]][reference["key"]]


def _mounts(pod: Pod, container: Doc) -> dict[str, str]:
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", [])}
    found = {}
    for mount in container.get("volumeMounts", []):
        volume, path = volumes.get(mount["name"], {}), mount["mountPath"]
        if "secret" in volume:
            found[path] = volume["secret"]["secretName"]
        for source in volume.get("projected", {}).get("sources", []):
            for item in source.get("secret", {}).get("items", []):
                found[f"{path}/{item['path']}"] = f"{source['secret']['name']}/{item['key']}"
    return found
