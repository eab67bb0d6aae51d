-- up
CREATE TABLE media_files (
    id UUID PRIMARY KEY,
    purpose TEXT NOT NULL,
    -- NULL: the server made it itself.
    owner UUID,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    width BIGINT,
    height BIGINT,
    spoiler BOOLEAN NOT NULL,
    channel UUID,
    quarantine TEXT NOT NULL,
    -- SHA-256 of the secret in the URL to which the bytes are put.
    token BYTEA UNIQUE,
    -- Until when a check may be at work on it.
    busy_until_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX media_files_by_owner ON media_files (owner, state);
CREATE INDEX media_files_by_state ON media_files (state, created_at_ms);

-- How many bytes each user announced on each day since 1970.
CREATE TABLE media_spent (
    owner UUID NOT NULL,
    day BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (owner, day)
);

-- down
DROP TABLE media_spent;
DROP TABLE media_files;
