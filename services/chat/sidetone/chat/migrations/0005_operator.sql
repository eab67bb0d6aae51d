-- up
-- The one rebuild of the search index that is under way: into which collection, and how far it is.
CREATE TABLE search_rebuilds (
    number BIGINT PRIMARY KEY,
    collection TEXT NOT NULL,
    channel UUID NOT NULL,
    message UUID NOT NULL,
    messages BIGINT NOT NULL
);

-- After how many days messages go; NULL: as everywhere on the platform, zero: never.
ALTER TABLE servers ADD COLUMN retention_days BIGINT;
-- down
ALTER TABLE servers DROP COLUMN retention_days;
DROP TABLE search_rebuilds;
