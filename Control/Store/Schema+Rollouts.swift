extension Schema {
    /// One rollout of an organisation at a time is not over. What boards say of themselves decides nothing but what they are told.
    static let rollouts: StaticString = """
        CREATE TABLE board_updates (
            organization TEXT NOT NULL,
            sender TEXT NOT NULL,
            channel TEXT NOT NULL CHECK (channel IN ('stable', 'beta', 'edge')),
            report TEXT,
            reported_at INTEGER,
            PRIMARY KEY (organization, sender),
            FOREIGN KEY (organization, sender) REFERENCES devices (organization, id)
        ) STRICT;

        CREATE TABLE rollouts (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            version TEXT NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            channel TEXT NOT NULL CHECK (channel IN ('stable', 'beta', 'edge')),
            machines TEXT NOT NULL,
            plan TEXT NOT NULL,
            forced INTEGER NOT NULL CHECK (forced IN (0, 1)),
            state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'halted', 'done', 'rolled_back')),
            reason TEXT,
            step INTEGER NOT NULL,
            step_began_at INTEGER NOT NULL,
            forgiven INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            ended_at INTEGER,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, created_by) REFERENCES users (organization, id),
            CHECK ((state IN ('done', 'rolled_back')) = (ended_at IS NOT NULL))
        ) STRICT;
        CREATE UNIQUE INDEX rollouts_unfinished ON rollouts (organization) WHERE ended_at IS NULL;
        CREATE INDEX rollouts_by_end ON rollouts (ended_at);

        CREATE TABLE rollout_boards (
            organization TEXT NOT NULL,
            rollout TEXT NOT NULL,
            sender TEXT NOT NULL,
            fate TEXT NOT NULL CHECK (fate IN ('offered', 'switched', 'installed', 'failed', 'returned')),
            at INTEGER NOT NULL,
            reason TEXT,
            PRIMARY KEY (organization, rollout, sender),
            FOREIGN KEY (organization, rollout) REFERENCES rollouts (organization, id) ON DELETE CASCADE,
            FOREIGN KEY (organization, sender) REFERENCES devices (organization, id)
        ) STRICT;
        CREATE INDEX rollout_boards_by_sender ON rollout_boards (organization, sender);
        """
}
