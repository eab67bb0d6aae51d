"""A chain of entries, and everything that can be done to it."""

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sidetone.chat.domain.audit import NO_HASH, Deed, sealed, verify
from sidetone.protocol.ids import RoleId, ServerId, UserId
from sidetone.protocol.servers import AuditEntry, Role

SERVER, ADA = ServerId(UUID(int=1)), UserId(UUID(int=2))


def chain(count: int, server: ServerId = SERVER) -> list[tuple[AuditEntry, bytes]]:
    entries: list[tuple[AuditEntry, bytes]] = []
    previous = NO_HASH
    for number in range(1, count + 1):
        entry = AuditEntry(number, number, ADA, "role.edit", None, {"a": "1"}, {}, "why", "")
        previous = sealed(previous, server, entry)
        entries.append((entry, previous))
    return entries


def head(entries: list[tuple[AuditEntry, bytes]]) -> tuple[int, bytes]:
    return (entries[-1][0].number, entries[-1][1]) if entries else (0, NO_HASH)


@given(st.integers(0, 5))
def test_a_chain_that_nobody_touched_is_whole(count: int) -> None:
    entries = chain(count)
    assert verify(SERVER, entries, head(entries)) is None


@given(st.integers(0, 4), st.sampled_from(["reason", "action", "request"]))
def test_an_altered_entry_is_noticed_even_with_a_hash_made_for_it(index: int, name: str) -> None:
    entries = chain(5)
    altered = msgspec.structs.replace(entries[index][0], **{name: "forged"})
    previous = entries[index - 1][1] if index else NO_HASH
    entries[index] = altered, entries[index][1]
    assert verify(SERVER, entries, head(chain(5))) == index + 1
    entries[index] = altered, sealed(previous, SERVER, altered)
    # What comes after it was sealed upon the true one; of the last one the head tells.
    assert verify(SERVER, entries, head(chain(5))) == index + 2


@given(st.integers(0, 4))
def test_a_removed_entry_is_noticed(index: int) -> None:
    entries = chain(5)
    del entries[index]
    assert verify(SERVER, entries, head(chain(5))) == index + 1


@given(st.integers(0, 4))
def test_an_inserted_entry_is_noticed(index: int) -> None:
    entries = chain(5)
    entries.insert(index, entries[index])
    assert verify(SERVER, entries, head(chain(5))) is not None


def test_a_chain_of_another_server_is_not_this_ones() -> None:
    entries = chain(3, ServerId(UUID(int=9)))
    assert verify(SERVER, entries, head(entries)) == 1


def test_a_deed_holds_only_what_differs() -> None:
    before = Role(RoleId(UUID(int=3)), "mods", 1, 5)
    after = msgspec.structs.replace(before, permissions=7, name="staff")
    edited = Deed.of(ADA, "role.edit", before.id, (before, after), "")
    assert (edited.before, edited.after) == (
        {"name": "mods", "permissions": "5"},
        {"name": "staff", "permissions": "7"},
    )
    made = Deed.of(ADA, "role.create", before.id, (None, before), "")
    assert made.before == {}
    assert made.after["name"] == "mods"
