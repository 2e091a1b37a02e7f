-- What is known of the order to ring: 'unknown' while the carrier's answer to it never came and
-- nothing else tells; none otherwise.
ALTER TABLE calls ADD COLUMN submission TEXT;
CREATE INDEX calls_unsure ON calls (remote) WHERE submission IS NOT NULL;

-- What the call may do, as JSON: for whoever takes it up after its server was lost. None before this.
ALTER TABLE calls ADD COLUMN bounds TEXT;
