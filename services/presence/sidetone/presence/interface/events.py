"""What presence listens to: the sessions of the gateways, and the journal."""

from sidetone.bus import Bus, Journal
from sidetone.presence.application.forget_user import ForgetUser
from sidetone.presence.application.watch_sessions import WatchSessions
from sidetone.protocol.events import SessionClosed, SessionOpened, SessionsAlive


async def follow_events(
    bus: Bus, journal: Journal, watch: WatchSessions, forget_user: ForgetUser
) -> None:
    """Subscribe to sessions as they open, live and close, and to accounts that are closed."""
    await bus.subscribe(SessionOpened, watch.opened)
    await bus.subscribe(SessionClosed, watch.closed)
    await bus.subscribe(SessionsAlive, watch.alive)
    await journal.follow(forget_user)
