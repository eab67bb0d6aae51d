-- up
-- What services have to tell and have not told yet, oldest first.
CREATE TABLE outbox (
    number SERIAL_KEY,
    service TEXT NOT NULL,
    fact BYTEA NOT NULL
);
CREATE INDEX outbox_by_service ON outbox (service, number);

-- down
DROP TABLE outbox;
