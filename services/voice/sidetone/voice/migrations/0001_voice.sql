-- up
-- Ed25519 seeds that sign voice tickets; kid is 1 to 255.
CREATE TABLE ticket_keys (
    kid BIGINT PRIMARY KEY,
    seed BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- The latest rights of a user in a voice channel, kept for as long as a unit could need them.
CREATE TABLE voice_rights (
    channel UUID NOT NULL,
    member UUID NOT NULL,
    perms BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (channel, member)
);
CREATE INDEX voice_rights_by_time ON voice_rights (changed_at_ms);
-- down
DROP TABLE voice_rights;
DROP TABLE ticket_keys;
