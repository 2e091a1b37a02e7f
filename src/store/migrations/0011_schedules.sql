-- Calls that are to be made later, once or again and again. `spec` is the order as JSON: when,
-- what for, under which condition. state: active, done (nothing is to come), cancelled.
CREATE TABLE schedules (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    spec TEXT NOT NULL,
    state TEXT NOT NULL,
    next_ms BIGINT,
    made_ms BIGINT NOT NULL
);
CREATE INDEX schedules_due ON schedules (next_ms) WHERE state = 'active';
CREATE INDEX schedules_of_account ON schedules (account, made_ms DESC, id DESC);

-- What came of each time. verdict: placed, condition_not_met, condition_failed, missed, not_placed.
CREATE TABLE schedule_runs (
    schedule TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    due_ms BIGINT NOT NULL,
    ran_ms BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    call TEXT,
    detail TEXT,
    PRIMARY KEY (schedule, due_ms)
);
