-- What is known of the order to ring: 'unknown' while the carrier's answer to it never came and
-- nothing else tells; none otherwise.
ALTER TABLE calls ADD COLUMN submission TEXT;
CREATE INDEX calls_unsure ON calls (remote) WHERE submission IS NOT NULL;
