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

    /// People are known by texts alone: guests have no rows, and users may be gone before what they wrote. `folded` is what is looked through.
    /// Meetings of an organisation that is deleted are gone at once, and these rows some at a time afterwards.
    static let chat: StaticString = """
        CREATE TABLE chat_messages (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
            meeting TEXT NOT NULL,
            participant TEXT NOT NULL,
            author TEXT NOT NULL,
            name TEXT NOT NULL,
            recipient TEXT,
            recipient_participant TEXT,
            recipient_name TEXT,
            text TEXT NOT NULL,
            folded TEXT NOT NULL,
            is_pinned INTEGER NOT NULL DEFAULT 0 CHECK (is_pinned IN (0, 1)),
            sent_at INTEGER NOT NULL,
            UNIQUE (organization, id),
            CHECK (recipient IS NULL OR is_pinned = 0)
        ) STRICT;
        CREATE INDEX chat_messages_by_meeting ON chat_messages (organization, meeting, id);
        CREATE INDEX chat_messages_by_time ON chat_messages (sent_at);

        CREATE TABLE meeting_events (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
            meeting TEXT NOT NULL,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            participant TEXT NOT NULL,
            person TEXT NOT NULL,
            name TEXT NOT NULL,
            from_preset TEXT,
            to_preset TEXT,
            actor TEXT,
            actor_name TEXT,
            UNIQUE (organization, id)
        ) STRICT;
        CREATE INDEX meeting_events_by_meeting ON meeting_events (organization, meeting);
        """
}
