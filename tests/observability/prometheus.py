"""A real Prometheus for tests, and what it knows."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests import engines
from tests.engines import Engine

ALERTS = Path(__file__).parents[2] / "infra" / "observability" / "alerts.yml"


class Prometheus:
    """Asks a running Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the series of *expr* now; an error of Prometheus fails the test."""
        return self._get("/api/v1/query", {"query": expr})["result"]

    def rules(self) -> list[dict[str, Any]]:
        """Return the alert rules with their health."""
        groups = self._get("/api/v1/rules", {})["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _get(self, path: str, params: dict[str, str]) -> Any:
        answer = httpx.get(self._url + path, params=params).json()
        assert answer["status"] == "success", (params, answer)
        return answer["data"]


def start_prometheus(targets: Mapping[str, str]) -> tuple[Engine, Prometheus]:
    """Start a Prometheus that scrapes *targets* every second and judges the alerts."""
    program = shutil.which("prometheus")
    if program is None:
        engines.missing("Prometheus", "apt-get install prometheus")
    folder, port = engines.new_folder("prometheus"), engines.free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [
            {
                "job_name": name,
                "static_configs": [{"targets": [url.removeprefix("http://")]}],
            }
            for name, url in targets.items()
        ],
    }
    # JSON is YAML as well.
    (folder / "prometheus.yml").write_text(json.dumps(config))
    url = f"http://127.0.0.1:{port}"
    command = [
        str(program),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    engine = Engine(url, command, folder, lambda: engines.http_answers(f"{url}/-/ready"))
    engine.start()
    engines.versions["Prometheus"] = engines.version_of([str(program), "--version"])
    return engine, Prometheus(url)


def promtool() -> str:
    """Return the program that checks configurations and rules."""
    program = shutil.which("promtool")
    return program or engines.missing("promtool", "apt-get install prometheus")
