-- up
-- Nobody logs in to a disabled account; its operator can enable it again.
ALTER TABLE accounts ADD COLUMN disabled BOOLEAN NOT NULL DEFAULT FALSE;
-- NULL for those that were closed before this was noted.
ALTER TABLE accounts ADD COLUMN closed_at_ms BIGINT;
-- down
ALTER TABLE accounts DROP COLUMN closed_at_ms;
ALTER TABLE accounts DROP COLUMN disabled;
