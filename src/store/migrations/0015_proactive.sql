-- Whether nobody ordered a call at the moment it was made: a schedule did, or it rings its
-- account's own phone. Of such, only so many are permitted.
ALTER TABLE calls ADD COLUMN proactive BIGINT NOT NULL DEFAULT 0;
