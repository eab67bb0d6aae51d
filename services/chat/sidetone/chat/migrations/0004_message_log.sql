-- up
-- Where messages are kept in a store of their own, what is to be written there stands here first,
-- in the transaction that decided it; a row goes when that is written and told. The place is a
-- channel, or the user whose read marks move.
CREATE TABLE message_log (
    number SERIAL_KEY,
    id UUID NOT NULL UNIQUE,
    place UUID NOT NULL,
    author UUID,
    nonce TEXT,
    logged_at_ms BIGINT NOT NULL,
    entry BYTEA NOT NULL
);
CREATE INDEX message_log_by_place ON message_log (place);
CREATE UNIQUE INDEX message_log_by_nonce ON message_log (place, author, nonce)
    WHERE nonce IS NOT NULL;

-- One at a time changes what stands in a place; the time of the last change orders the next one
-- after it, whatever clocks say.
CREATE TABLE message_places (
    place UUID PRIMARY KEY,
    changed_at_us BIGINT NOT NULL
);

-- Channels with messages in the store of their own, so that those of deleted ones are found.
CREATE TABLE message_channels (
    channel UUID PRIMARY KEY
);

-- down
DROP TABLE message_channels;
DROP TABLE message_places;
DROP TABLE message_log;
