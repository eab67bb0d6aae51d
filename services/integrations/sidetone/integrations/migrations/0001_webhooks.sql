-- up
-- Kinds of events are words with spaces between; none is all of them.
CREATE TABLE webhooks (
    id UUID PRIMARY KEY,
    server UUID NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    secret BYTEA NOT NULL,
    events TEXT NOT NULL,
    creator UUID NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX webhooks_by_server ON webhooks (server);

-- What waits has a time at which it is due; what was given up has none.
CREATE TABLE deliveries (
    id UUID PRIMARY KEY,
    webhook UUID NOT NULL,
    fact UUID NOT NULL,
    event BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    due_at_ms BIGINT,
    error TEXT NOT NULL
);
CREATE UNIQUE INDEX deliveries_by_fact ON deliveries (webhook, fact);
CREATE INDEX deliveries_by_due ON deliveries (due_at_ms);

-- Who has the secret may write; only its digest is kept.
CREATE TABLE incoming_webhooks (
    id UUID PRIMARY KEY,
    server UUID NOT NULL,
    channel UUID NOT NULL,
    name TEXT NOT NULL,
    avatar UUID,
    secret_sha256 BYTEA NOT NULL,
    creator UUID NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX incoming_webhooks_by_server ON incoming_webhooks (server);

-- down
DROP TABLE incoming_webhooks;
DROP TABLE deliveries;
DROP TABLE webhooks;
