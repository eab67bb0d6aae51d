-- up
-- Calls in conversations, going on and past. The state is the call as one value; while it is open
-- it is looked at when it is due.
CREATE TABLE calls (
    id UUID PRIMARY KEY,
    channel UUID NOT NULL,
    state BYTEA NOT NULL,
    is_open BOOLEAN NOT NULL,
    due_at_ms BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX calls_open ON calls (channel) WHERE is_open;
CREATE INDEX calls_due ON calls (due_at_ms) WHERE is_open;

-- Who learned of which call: their history. Ids sort by time.
CREATE TABLE call_members (
    member UUID NOT NULL,
    call UUID NOT NULL,
    channel UUID NOT NULL,
    PRIMARY KEY (member, call)
);
CREATE INDEX call_members_by_channel ON call_members (member, channel, call);
-- down
DROP TABLE call_members;
DROP TABLE calls;
