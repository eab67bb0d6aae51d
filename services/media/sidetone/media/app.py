"""Media, wired: give it its surroundings and a place for files, get its routes."""

import asyncio
from importlib.resources import files as package_files

import msgspec
import structlog
from litestar import Router

from sidetone.media.application.bring_file import BringFile
from sidetone.media.application.claim_files import ClaimFiles
from sidetone.media.application.complete_upload import CompleteUpload
from sidetone.media.application.drop_files import DropFiles
from sidetone.media.application.hear_fact import HearFact
from sidetone.media.application.look_at_link import LookAtLink
from sidetone.media.application.ports import Quota, Scanner, Web
from sidetone.media.application.preview_link import PreviewLink
from sidetone.media.application.read_file import ReadFile
from sidetone.media.application.receive_upload import ReceiveUpload
from sidetone.media.application.start_upload import StartUpload
from sidetone.media.application.sweep import Sweep
from sidetone.media.application.sweep_orphans import SweepOrphans
from sidetone.media.domain.holding import Lifetimes, Sizes
from sidetone.media.infrastructure.bus_sight import BusSight
from sidetone.media.infrastructure.contents import StoredContents
from sidetone.media.infrastructure.scanners import ClamScanner, NoScanner
from sidetone.media.infrastructure.sniffing import sniff
from sidetone.media.infrastructure.sql import SqlHoldings
from sidetone.media.infrastructure.web import PublicWeb
from sidetone.media.infrastructure.workshop import Workshop
from sidetone.media.interface.http import DOORWAY_PATH, UseCases, routes
from sidetone.media.interface.questions import answer_questions
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.public_network import PublicNetwork, SystemAddresses
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Database
from sidetone.storage.files import Files
from sidetone.storage.migrations import migrate

_DAY_SECONDS = 24 * 3_600.0
_log = structlog.get_logger(__name__)


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two deployments of media.

    *clamd* is where the virus scanner listens, ``host:port`` or the path of its socket.
    """

    sizes: Sizes = Sizes()
    quota: Quota = Quota()
    lifetimes: Lifetimes = Lifetimes()
    uploads_per_user: Limit = Limit(count=60, period_ms=60_000)
    sweep_seconds: float = 60.0
    clamd: str | None = None


DEFAULT_POLICY = Policy()


async def build(
    around: Surroundings,
    files: Files,
    policy: Policy = DEFAULT_POLICY,
    network: PublicNetwork | None = None,
) -> Router:
    """Return the routes of media; its tables are brought up to date first.

    *network* is what link previews see of the internet. The caller closes all that it gave.
    """
    await migrate(around.database, "media", package_files("sidetone.media") / "migrations")
    holdings = SqlHoldings(around.database)
    contents = StoredContents(files, DOORWAY_PATH)
    workshop = Workshop()
    clock, lifetimes = around.clock, policy.lifetimes
    look = LookAtLink(_web(workshop, network), around.tasks, clock)
    await answer_questions(
        around.bus,
        ClaimFiles(holdings),
        DropFiles(holdings),
        PreviewLink(look, holdings, contents, clock),
    )
    await around.journal.follow(HearFact(holdings))
    around.tasks.start(
        _keep_swept(
            Sweep(holdings, contents, clock, lifetimes), around.database, policy.sweep_seconds
        )
    )
    around.tasks.start(_keep_orphans_swept(SweepOrphans(holdings, contents, clock), around))
    use_cases = UseCases(
        start_upload=StartUpload(holdings, contents, clock, policy.sizes, policy.quota, lifetimes),
        receive_upload=ReceiveUpload(holdings, contents, clock, lifetimes),
        complete_upload=CompleteUpload(
            holdings, contents, workshop, _scanner(policy.clamd), sniff, clock
        ),
        read_file=ReadFile(holdings, contents, BusSight(around.bus), clock),
    )
    uploads = Limiter(around.store, "uploads", policy.uploads_per_user, open_when_down=True)
    return routes(use_cases, contents, uploads, max(msgspec.structs.astuple(policy.sizes)))


def orphans(around: Surroundings, files: Files) -> SweepOrphans:
    """Return what looks for bytes that nothing is known of, for an operator."""
    contents = StoredContents(files, DOORWAY_PATH)
    return SweepOrphans(SqlHoldings(around.database), contents, around.clock)


def bringing(around: Surroundings, files: Files, policy: Policy = DEFAULT_POLICY) -> BringFile:
    """Return what takes files in for an operator; its tables exist."""
    holdings = SqlHoldings(around.database)
    contents = StoredContents(files, DOORWAY_PATH)
    complete = CompleteUpload(
        holdings, contents, Workshop(), _scanner(policy.clamd), sniff, around.clock
    )
    return BringFile(holdings, contents, complete, around.clock, policy.sizes)


def _web(workshop: Workshop, network: PublicNetwork | None) -> Web:
    return PublicWeb(workshop, sniff, network or PublicNetwork(SystemAddresses()))


def _scanner(clamd: str | None) -> Scanner:
    return NoScanner() if clamd is None else ClamScanner(clamd)


async def _keep_orphans_swept(sweep: SweepOrphans, around: Surroundings) -> None:
    """Look for orphans every day, for as long as the process lives."""
    while True:
        await asyncio.sleep(_DAY_SECONDS)
        try:
            async with around.database.alone("media orphans"):
                count, size_bytes = await sweep()
            if count:
                _log.info("orphans_swept", files=count, size_bytes=size_bytes)
        except Unavailable as unavailable:
            _log.warning("sweep_waits", reason=unavailable.detail)
        except Exception:
            _log.exception("sweep_failed")


async def _keep_swept(sweep: Sweep, database: Database, seconds: float) -> None:
    """Sweep for as long as the process lives; one process at a time in the whole cluster."""
    while True:
        try:
            async with database.alone("media sweep"):
                forgotten = await sweep()
            if forgotten:
                _log.info("files_swept", files=forgotten)
        except Unavailable as unavailable:
            # It comes back; what is late is not lost.
            _log.warning("sweep_waits", reason=unavailable.detail)
        except Exception:
            _log.exception("sweep_failed")
        await asyncio.sleep(seconds)
