"""What processes tell of themselves, read over HTTP as Prometheus does.

Nothing is sent but the question, so certificates are not checked: a server's own is pinned by
clients and signed by nobody.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

# Two looks so far apart tell how much there is in a second.
APART_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 3.0
_READY: Final = 200


class Numbers:
    """The samples of one look at ``/metrics``."""

    def __init__(self, text: str, at_seconds: float) -> None:
        self.at_seconds = at_seconds
        self._samples: defaultdict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples[sample.name].append((sample.labels, sample.value))

    def of(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Return the samples of *name* with their labels."""
        return self._samples.get(name, [])

    def values(self, name: str, **labels: str) -> list[float]:
        """Return the values of *name* with these *labels*."""
        return [
            value
            for found, value in self.of(name)
            if all(found.get(label) == wanted for label, wanted in labels.items())
        ]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of *name* over all other labels."""
        return sum(self.values(name, **labels))

    def most(self, name: str, **labels: str) -> float | None:
        """Return the largest of *name*, None where there is none."""
        return max(self.values(name, **labels), default=None)


class Look(msgspec.Struct, frozen=True):
    """A process at two moments. *trouble* is why it is not ready, empty if it is."""

    url: str
    trouble: str
    before: Numbers
    now: Numbers

    def per_second(self, name: str, **labels: str) -> float:
        """Return how fast the counter *name* rises."""
        passed = self.now.at_seconds - self.before.at_seconds
        risen = self.now.total(name, **labels) - self.before.total(name, **labels)
        return max(0.0, risen) / passed if passed > 0 else 0.0


class Silence(msgspec.Struct, frozen=True):
    """A process that was asked in vain, and why."""

    url: str
    reason: str


async def look_at(urls: Iterable[str]) -> Sequence[Look | Silence]:
    """Return what the process at each of *urls* tells, or why it does not."""
    async with httpx.AsyncClient(verify=False, timeout=_TIMEOUT_SECONDS) as http:  # noqa: S501 - see above
        return await asyncio.gather(*(_look(http, url.rstrip("/")) for url in urls))


async def _look(http: httpx.AsyncClient, url: str) -> Look | Silence:
    try:
        before = await _numbers(http, url)
        trouble = await _trouble(http, url)
        await asyncio.sleep(APART_SECONDS)
        return Look(url, trouble, before, await _numbers(http, url))
    except httpx.TimeoutException:
        return Silence(url, f"no answer in {_TIMEOUT_SECONDS:g} seconds")
    except httpx.HTTPStatusError as error:
        return Silence(url, f"/metrics answers {error.response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Silence(url, str(error) or type(error).__name__)
    except ValueError:
        return Silence(url, "/metrics has no metrics")


async def _numbers(http: httpx.AsyncClient, url: str) -> Numbers:
    answer = await http.get(f"{url}/metrics")
    answer.raise_for_status()
    return Numbers(answer.text, time.monotonic())


async def _trouble(http: httpx.AsyncClient, url: str) -> str:
    """Return why the process is not ready; a voice node has no such route, and answers 200."""
    answer = await http.get(f"{url}/readyz")
    if answer.status_code == _READY:
        return ""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"/readyz says {answer.status_code}"
