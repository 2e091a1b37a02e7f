-- What is kept across calls about one purpose.
CREATE TABLE campaigns (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    purpose TEXT NOT NULL,
    constraints TEXT,
    known_facts TEXT,
    made_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);
CREATE INDEX campaigns_of_account ON campaigns (account, id DESC);

-- Whom it is about. call: the last one that was ordered for it here, with how often it was rung by
-- that order and whether it only asks; again: outcomes, by comma, after which it is rung once more,
-- NULL when nothing is awaited. next_action: what whoever keeps the campaign says.
CREATE TABLE campaign_targets (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    remote TEXT NOT NULL,
    name TEXT,
    call TEXT,
    attempts BIGINT NOT NULL,
    only_asks BIGINT NOT NULL,
    again TEXT,
    next_action TEXT,
    next_action_ms BIGINT,
    PRIMARY KEY (campaign, number)
);
CREATE INDEX campaign_targets_awaited ON campaign_targets (campaign) WHERE again IS NOT NULL;

-- What was decided, about one of its targets or all of it.
CREATE TABLE campaign_decisions (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    target BIGINT,
    decision TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (campaign, number)
);

-- The campaign that a call or a search belongs to.
ALTER TABLE calls ADD COLUMN campaign TEXT;
CREATE INDEX calls_of_campaign ON calls (campaign, queued_ms DESC) WHERE campaign IS NOT NULL;
ALTER TABLE searches ADD COLUMN campaign TEXT;
