-- Whom an account wants told of what happens. events: the types it wants, with a space between;
-- empty for all. former_secret signs too until former_until_ms. disabled: why nothing is sent any
-- more. waiting: its deliveries that wait. missed: events that found as many waiting as may be.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    secret TEXT NOT NULL,
    former_secret TEXT,
    former_until_ms BIGINT,
    disabled TEXT,
    waiting BIGINT NOT NULL,
    missed BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX webhooks_of_account ON webhooks (account, created_ms);

-- What each is told, written together with the fact that it tells of. state: waiting (due_ms says
-- for what), delivered, failed. status, error: what the last attempt came to.
CREATE TABLE webhook_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    status BIGINT,
    error TEXT
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook, due_ms)
    WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook, created_ms DESC, id DESC);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_ms) WHERE state <> 'waiting';
