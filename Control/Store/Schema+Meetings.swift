extension Schema {
    /// A room of a meeting is one that a program of the version before lists among the others, and cannot remove.
    static let meetings: StaticString = """
        CREATE TABLE meetings (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            slug TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            description TEXT,
            type TEXT NOT NULL CHECK (type IN ('video', 'audio', 'webinar', 'livestream')),
            state TEXT NOT NULL CHECK (state IN ('draft', 'scheduled', 'active', 'ended', 'cancelled')),
            settings TEXT NOT NULL,
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            scheduled_start INTEGER,
            scheduled_end INTEGER,
            started_at INTEGER,
            ended_at INTEGER,
            room TEXT,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, created_by) REFERENCES users (organization, id),
            FOREIGN KEY (organization, room) REFERENCES rooms (organization, id),
            CHECK ((state = 'active') = (room IS NOT NULL)),
            CHECK (state <> 'scheduled' OR scheduled_start IS NOT NULL)
        ) STRICT;
        CREATE INDEX meetings_by_organization ON meetings (organization, id);
        CREATE INDEX meetings_unfinished ON meetings (organization, state) WHERE state IN ('draft', 'scheduled', 'active');
        CREATE INDEX meetings_by_room ON meetings (organization, room) WHERE room IS NOT NULL;

        CREATE TABLE guest_links (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL,
            meeting TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            label TEXT NOT NULL,
            preset TEXT,
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            most_uses INTEGER NOT NULL CHECK (most_uses > 0),
            uses INTEGER NOT NULL DEFAULT 0 CHECK (uses BETWEEN 0 AND most_uses),
            last_used_at INTEGER,
            withdrawn_at INTEGER,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, meeting) REFERENCES meetings (organization, id),
            FOREIGN KEY (organization, created_by) REFERENCES users (organization, id)
        ) STRICT;
        CREATE INDEX guest_links_by_meeting ON guest_links (organization, meeting);

        CREATE TABLE meeting_defaults (
            organization TEXT PRIMARY KEY REFERENCES organizations (id),
            settings TEXT NOT NULL,
            locked TEXT NOT NULL,
            changed_at INTEGER NOT NULL
        ) STRICT;
        """
}
