"""The stored pair: a step from what is no longer so is not taken, on both databases."""

import pytest

from services.presence.tests.stage import Stage
from sidetone.presence.domain.pair import FRIENDS, NOTHING, Pair
from sidetone.presence.infrastructure.sql_relations import SqlRelations
from sidetone.runtime.outbox import Outbox

ASKED = Pair("outgoing", "incoming")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NOTHING, ASKED),
        (FRIENDS, NOTHING),
        (FRIENDS, Pair("blocked", None)),
        (Pair("outgoing", "blocked"), Pair(None, "blocked")),
        (Pair("incoming", "outgoing"), FRIENDS),
    ],
)
async def test_a_stale_step_changes_and_tells_nothing(
    stage: Stage, before: Pair, after: Pair
) -> None:
    ada, ben = stage.user(), stage.user()
    relations = SqlRelations(stage.around.database, await Outbox.open(stage.around, "presence"))
    assert await relations.change(ada, ben, NOTHING, ASKED, 1)
    await stage.told(2)
    assert not await relations.change(ada, ben, before, after, 2)
    assert await relations.between(ada, ben) == ASKED
    assert await relations.between(ben, ada) == ASKED.turned()
    assert await relations.change(ada, ben, ASKED, FRIENDS, 3)
    assert await stage.told(2) == [(ada, ben, "friend"), (ben, ada, "friend")]
