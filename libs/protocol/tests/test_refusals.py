import pytest

from sidetone.protocol.refusals import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
    refusal_of,
)

ALL = [
    Unauthenticated("a", "b"),
    Forbidden("a", "b"),
    NotFound("a", "b"),
    Conflict("a", "b"),
    Invalid("a", "b"),
    RateLimited("a", "b", 2.5),
    Unavailable("a", "b"),
]


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.kind)
def test_a_refusal_survives_the_wire(refusal: Refusal) -> None:
    back = refusal_of(refusal.problem())
    assert type(back) is type(refusal)
    assert back.problem() == refusal.problem()


def test_a_kind_from_the_future_is_unavailable() -> None:
    assert isinstance(refusal_of(Problem("teapot", "short", "and stout")), Unavailable)
