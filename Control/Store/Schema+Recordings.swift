extension Schema {
    /// A recording has a take for each lease that was to record it, on the lease's host until its files are stored, and seen once the host said that
    /// it has it; a file has parts while it is being brought. `bytes` and `duration_ms` are of the files that are stored.
    static let recordings: StaticString = """
        CREATE TABLE recordings (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            broadcast TEXT NOT NULL,
            sender TEXT NOT NULL,
            name TEXT NOT NULL,
            state TEXT NOT NULL
                CHECK (state IN ('invoked', 'recording', 'uploading', 'processing', 'ready', 'errored', 'expired')),
            reason TEXT,
            place TEXT NOT NULL CHECK (place IN ('disk', 'bucket')),
            bytes INTEGER NOT NULL DEFAULT 0,
            duration_ms INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL,
            ended_at INTEGER,
            ready_at INTEGER,
            removed_at INTEGER,
            is_cleared INTEGER NOT NULL DEFAULT 0 CHECK (is_cleared IN (0, 1)),
            UNIQUE (organization, id),
            UNIQUE (organization, broadcast),
            CHECK ((state = 'expired') = (removed_at IS NOT NULL))
        ) STRICT;
        CREATE INDEX recordings_by_end ON recordings (ended_at) WHERE state IN ('ready', 'errored');
        CREATE INDEX recordings_uncleared ON recordings (removed_at) WHERE state = 'expired' AND is_cleared = 0;

        CREATE TABLE recording_takes (
            organization TEXT NOT NULL,
            recording TEXT NOT NULL,
            lease TEXT NOT NULL UNIQUE,
            host TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('expected', 'stored', 'lost')),
            damaged INTEGER NOT NULL DEFAULT 0,
            seen_at INTEGER,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (organization, lease),
            FOREIGN KEY (organization, recording) REFERENCES recordings (organization, id) ON DELETE CASCADE
        ) STRICT;
        CREATE INDEX recording_takes_by_recording ON recording_takes (organization, recording);
        CREATE INDEX recording_takes_by_host ON recording_takes (host) WHERE state = 'expected';

        CREATE TABLE recording_files (
            organization TEXT NOT NULL,
            recording TEXT NOT NULL,
            lease TEXT NOT NULL,
            number INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            began_at INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            codecs TEXT NOT NULL,
            width INTEGER,
            height INTEGER,
            upload TEXT,
            stored_at INTEGER,
            PRIMARY KEY (organization, lease, number),
            FOREIGN KEY (organization, recording) REFERENCES recordings (organization, id) ON DELETE CASCADE
        ) STRICT;
        CREATE INDEX recording_files_by_recording ON recording_files (organization, recording);

        CREATE TABLE recording_parts (
            organization TEXT NOT NULL,
            lease TEXT NOT NULL,
            number INTEGER NOT NULL,
            part INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            tag TEXT NOT NULL,
            PRIMARY KEY (organization, lease, number, part),
            FOREIGN KEY (organization, lease, number) REFERENCES recording_files (organization, lease, number) ON DELETE CASCADE
        ) STRICT;

        CREATE TABLE recording_settings (
            organization TEXT PRIMARY KEY REFERENCES organizations (id),
            policy TEXT NOT NULL CHECK (policy IN ('always', 'asked', 'never')),
            keep_days INTEGER NOT NULL CHECK (keep_days >= 0),
            changed_at INTEGER NOT NULL
        ) STRICT;
        """
}
