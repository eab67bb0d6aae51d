"""Which passwords are accepted, and how they are kept."""

import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters

from sidetone.credentials.passwords import Cost, Passwords, Verdict, require_good
from sidetone.protocol.refusals import Invalid, Unavailable

GOOD = "plum tree in the rain"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


async def test_a_hash_has_the_decided_parameters_and_its_own_salt(passwords: Passwords) -> None:
    first, second = await asyncio.gather(passwords.hash(GOOD), passwords.hash(GOOD))
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert first != second


async def test_only_the_password_matches_its_hash(passwords: Passwords) -> None:
    encoded = await passwords.hash(GOOD)
    assert await passwords.verify(encoded, GOOD) == Verdict(matches=True, outdated=False)
    for other in (GOOD + " ", GOOD.upper(), "", "\x00", GOOD + "\x00"):
        assert not (await passwords.verify(encoded, other)).matches


async def test_a_password_matches_however_the_keyboard_composes_it(passwords: Passwords) -> None:
    encoded = await passwords.hash("pru\u0308fung im regen")
    assert (await passwords.verify(encoded, "pr\u00fcfung im regen")).matches


async def test_an_older_hash_matches_and_is_called_outdated(passwords: Passwords) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    assert await passwords.verify(older, GOOD) == Verdict(matches=True, outdated=True)


async def test_a_damaged_hash_matches_nothing(passwords: Passwords) -> None:
    for damaged in ("garbage", "$argon2id$", "$argon2id$v=19$m=65536,t=3,p=1$AAAA$AAAA"):
        assert not (await passwords.verify(damaged, GOOD)).matches


async def test_nobody_is_verified_with_the_work_of_somebody(passwords: Passwords) -> None:
    encoded = await passwords.hash(GOOD)
    before = passwords.computed
    await passwords.verify(encoded, "wrong")
    assert passwords.computed == before + 1
    assert await passwords.verify(None, "wrong") == Verdict(matches=False, outdated=False)
    assert passwords.computed == before + 2
    assert extract_parameters(passwords._nobody) == extract_parameters(encoded)


async def test_a_password_that_is_too_long_costs_nothing(passwords: Passwords) -> None:
    before = passwords.computed
    assert not (await passwords.verify(None, "x" * 1025)).matches
    assert passwords.computed == before


async def test_a_crowd_is_turned_away_instead_of_queueing_without_end() -> None:
    passwords = Passwords(Cost(passes=1, memory_kib=1024))
    answers = await asyncio.gather(
        *(passwords.verify(None, GOOD) for _ in range(70)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(refused) == 6
    assert refused[0].code == "busy"
    assert not (await passwords.verify(None, GOOD)).matches


@pytest.mark.parametrize(
    "password", [GOOD, "x" * 500 + GOOD, "гроза над морем", "🎈🎏🎃🎄🎅🎆🎇🎈🎉🎊🎋🎌"]
)
def test_length_is_enough(password: str) -> None:
    require_good(password, "ada")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_too_short"),
        ("eleven char", "password_too_short"),
        ("u\u0308" * 11, "password_too_short"),
        (GOOD * 60, "password_too_long"),
        ("Password1234", "password_common"),
        ("correct horse battery staple", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("abababababab", "password_common"),
        ("hunter2hunter2", "password_common"),
        ("abcdefghijklmnop", "password_common"),
        ("zyxwvutsrqponm", "password_common"),
        ("Grace.Hopper.1906", "password_common"),
    ],
)
def test_what_is_easy_to_guess_is_refused(password: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        require_good(password, "grace.hopper.1906")
    assert refusal.value.code == code
    assert not password or password not in refusal.value.detail
