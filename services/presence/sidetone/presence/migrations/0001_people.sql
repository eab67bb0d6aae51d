-- up
-- What *other* is to *owner*; each pair has a row for each side that has something.
CREATE TABLE relationships (
    owner UUID NOT NULL,
    other UUID NOT NULL,
    kind TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (owner, other)
);
CREATE INDEX relationships_by_kind ON relationships (owner, kind);
CREATE INDEX relationships_by_other ON relationships (other);

-- How a user wants to be seen while they are there, and when others saw them last, to the minute.
CREATE TABLE presences (
    member UUID PRIMARY KEY,
    status TEXT NOT NULL,
    note TEXT NOT NULL,
    game TEXT NOT NULL,
    clears_at_ms BIGINT,
    last_seen_ms BIGINT
);
-- down
DROP TABLE presences;
DROP TABLE relationships;
