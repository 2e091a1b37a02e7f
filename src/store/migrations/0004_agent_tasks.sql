-- What the agent behind the voice was asked, and what came of it: it may outlive the call.
-- state: running, done, failed, cancelled, lost (the server that waited for it is gone).
CREATE TABLE agent_tasks (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    answer TEXT,
    begun_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    PRIMARY KEY (call, number)
);
CREATE INDEX agent_tasks_running ON agent_tasks (state) WHERE state = 'running';
