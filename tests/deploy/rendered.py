"""The manifests as Kubernetes gets them, and what of ours they start.

They are rendered by ``kubectl kustomize``; where there is neither kubectl nor kustomize the tests
skip.
"""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml

from sidetone.all_in_one.commands.service import SERVICES
from sidetone.all_in_one.deployables import DEPLOYABLES

ROOT = Path(__file__).parents[2]
OVERLAYS = ("small", "large")
# The words by which containers start our programs, by the names that `sidetone config` knows.
PROGRAMS = {service: [f"sidetone.{service}"] for service in SERVICES} | {
    "search-indexer": ["sidetone.chat", "search-indexer"],
    "sfu": ["sidetone.voice_sfu"],
}
Doc = dict[str, Any]


class Pod(NamedTuple):
    """A pod that some workload makes."""

    namespace: str
    name: str
    labels: dict[str, str]
    spec: Doc

    @property
    def containers(self) -> list[Doc]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


@cache
def kustomized(folder: str) -> str:
    """Return the YAML of a kustomization under ``k8s``."""
    if shutil.which("kubectl"):
        command = ["kubectl", "kustomize"]
    elif shutil.which("kustomize"):
        command = ["kustomize", "build"]
    else:
        pytest.skip("kubectl is missing: it renders the manifests (so does kustomize)")
    return subprocess.check_output([*command, str(ROOT / "k8s" / folder)], text=True)


@cache
def rendered(overlay: str) -> list[Doc]:
    """Return the objects of an overlay, the migration among them."""
    text = kustomized(f"overlays/{overlay}") + "\n---\n" + kustomized("migrate")
    return [doc for doc in yaml.load_all(text, yaml.CSafeLoader) if doc]


def of(docs: list[Doc], *kinds: str) -> Iterator[Doc]:
    """Yield the objects of these kinds."""
    return (doc for doc in docs if doc["kind"] in kinds)


def name(doc: Doc) -> str:
    return doc["metadata"]["name"]


def namespace(doc: Doc) -> str:
    return doc["metadata"].get("namespace", "")


def pods(docs: list[Doc]) -> list[Pod]:
    """Return a pod of each workload."""
    made = []
    for doc in of(docs, "Deployment", "StatefulSet", "Job"):
        template = doc["spec"]["template"]
        labels = template["metadata"]["labels"]
        made.append(Pod(namespace(doc), name(doc), labels, template["spec"]))
    return made


def matching(docs: list[Doc], place: str, wanted: dict[str, str]) -> list[Pod]:
    """Return the pods of a namespace that a selector finds."""
    return [
        pod
        for pod in pods(docs)
        if pod.namespace == place and wanted.items() <= pod.labels.items()
    ]


def program_of(words: list[str]) -> str | None:
    """Return which of our programs a container starts by *words*."""
    found = [name for name, start in PROGRAMS.items() if words[: len(start)] == start]
    return max(found, key=lambda name: len(PROGRAMS[name]), default=None)


def settings_of(program: str) -> tuple[type[msgspec.Struct], str]:
    """Return what a program reads its variables into, and their prefix."""
    ((kind, prefix),) = DEPLOYABLES[program].parts
    return kind, prefix


@cache
def compose() -> Doc:
    """Return the compose file."""
    return yaml.load((ROOT / "infra" / "compose.yaml").read_text(), yaml.CSafeLoader)
