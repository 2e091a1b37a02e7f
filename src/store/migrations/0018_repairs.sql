-- What was repaired of a call is counted whenever somebody looks at the floor: without going through
-- all that happened.
CREATE INDEX events_repaired ON events (call, kind) WHERE kind = 'repaired';
