/// Every step of the schema, oldest first. A step that was shipped is never changed; the next one adds.
///
/// Foreign keys between an organisation's rows are (organization, id), so that no row can refer to another organisation's
/// even by a mistake of ours (THREATS 14). Times are Unix milliseconds, ids are ULIDs, sealed columns are blobs of `Keyring`.
enum Schema {
    static let migrations = [
        Migration(version: 1, name: "accounts", script: accounts),
        Migration(version: 2, name: "devices", script: devices),
        Migration(version: 3, name: "broadcasts", script: broadcasts),
        Migration(version: 4, name: "operations", script: operations),
        Migration(version: 5, name: "flight records", script: flightRecords),
        Migration(version: 6, name: "slates", script: slates),
        Migration(version: 7, name: "mails", script: mails),
        Migration(version: 8, name: "password resets", script: passwordResets),
        Migration(version: 9, name: "invitations", script: invitations),
        Migration(version: 10, name: "api tokens", script: apiTokens),
        Migration(version: 11, name: "organization settings", script: organizationSettings),
        Migration(version: 12, name: "flight events", script: flightEvents),
        Migration(version: 13, name: "health snapshots", script: healthSnapshots),
        Migration(version: 14, name: "draining hosts", script: drainingHosts),
        Migration(version: 15, name: "webhooks", script: webhooks),
        Migration(version: 16, name: "branding", script: branding),
        Migration(version: 17, name: "profiles", script: profiles),
        Migration(version: 18, name: "wordings", script: wordings),
        Migration(version: 19, name: "alerts", script: alerts),
        Migration(version: 20, name: "removed users", script: removedUsers),
        Migration(version: 21, name: "rooms", script: rooms),
        Migration(version: 22, name: "meetings", script: meetings),
        Migration(version: 23, name: "chat", script: chat),
        Migration(version: 24, name: "phone home", script: phoneHome),
        Migration(version: 25, name: "rollouts", script: rollouts),
        Migration(version: 26, name: "recordings", script: recordings),
        Migration(version: 27, name: "prepared boards", script: preparedBoards),
    ]

    private static let accounts: StaticString = """
        CREATE TABLE organizations (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            slug TEXT NOT NULL UNIQUE,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE users (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            email TEXT NOT NULL,
            display_name TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'host', 'member')),
            is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
            password_hash TEXT,
            created_at INTEGER NOT NULL,
            last_login_at INTEGER,
            UNIQUE (organization, id),
            UNIQUE (organization, email),
            CHECK (role <> 'owner' OR is_active = 1)
        ) STRICT;
        CREATE UNIQUE INDEX users_one_owner ON users (organization) WHERE role = 'owner';
        CREATE INDEX users_by_email ON users (email);

        CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL,
            user TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            last_used_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            address TEXT,
            user_agent TEXT,
            ended_at INTEGER,
            end_reason TEXT,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, user) REFERENCES users (organization, id)
        ) STRICT;
        CREATE INDEX sessions_by_user ON sessions (organization, user);

        CREATE TABLE refresh_tokens (
            hash BLOB PRIMARY KEY,
            organization TEXT NOT NULL,
            session TEXT NOT NULL,
            issued_at INTEGER NOT NULL,
            rotated_at INTEGER,
            successor BLOB,
            FOREIGN KEY (organization, session) REFERENCES sessions (organization, id) ON DELETE CASCADE
        ) STRICT;
        CREATE INDEX refresh_tokens_by_session ON refresh_tokens (organization, session);

        CREATE TABLE setup (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            secret_hash BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            used_at INTEGER
        ) STRICT;
        """

    private static let devices: StaticString = """
        CREATE TABLE devices (
            id TEXT PRIMARY KEY,
            organization TEXT REFERENCES organizations (id),
            kind TEXT NOT NULL CHECK (kind IN ('sender', 'pool')),
            name TEXT NOT NULL,
            public_key BLOB NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            first_connected_at INTEGER,
            last_seen_at INTEGER,
            revoked_at INTEGER,
            flagged_at INTEGER,
            software_version TEXT,
            inventory TEXT,
            pool TEXT,
            applied_configuration INTEGER NOT NULL DEFAULT 0,
            UNIQUE (organization, id),
            CHECK ((kind = 'pool') = (organization IS NULL))
        ) STRICT;

        CREATE TABLE enrollment_tokens (
            id TEXT PRIMARY KEY,
            organization TEXT REFERENCES organizations (id),
            kind TEXT NOT NULL CHECK (kind IN ('sender', 'pool')),
            hash BLOB NOT NULL UNIQUE,
            label TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            withdrawn_at INTEGER,
            redeemed_at INTEGER,
            device TEXT REFERENCES devices (id),
            CHECK ((kind = 'pool') = (organization IS NULL))
        ) STRICT;
        CREATE INDEX enrollment_tokens_by_organization ON enrollment_tokens (organization);

        CREATE TABLE configurations (
            organization TEXT NOT NULL,
            sender TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            toml TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            created_by TEXT,
            PRIMARY KEY (organization, sender, version),
            FOREIGN KEY (organization, sender) REFERENCES devices (organization, id)
        ) STRICT;
        """

    private static let broadcasts: StaticString = """
        CREATE TABLE destinations (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            name TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            secret BLOB,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            removed_at INTEGER,
            UNIQUE (organization, id)
        ) STRICT;
        CREATE UNIQUE INDEX destinations_name ON destinations (organization, name) WHERE removed_at IS NULL;

        CREATE TABLE broadcasts (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL,
            sender TEXT NOT NULL,
            state TEXT NOT NULL,
            document TEXT NOT NULL,
            stream_key BLOB,
            created_at INTEGER NOT NULL,
            ended_at INTEGER,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, sender) REFERENCES devices (organization, id),
            CHECK (ended_at IS NULL OR stream_key IS NULL)
        ) STRICT;
        CREATE UNIQUE INDEX broadcasts_one_per_sender ON broadcasts (sender) WHERE ended_at IS NULL;
        """

    private static let operations: StaticString = """
        CREATE TABLE audit (
            id TEXT PRIMARY KEY,
            at INTEGER NOT NULL,
            organization TEXT,
            author_kind TEXT NOT NULL,
            author TEXT,
            address TEXT,
            action TEXT NOT NULL,
            subject TEXT,
            detail TEXT
        ) STRICT;
        CREATE INDEX audit_by_time ON audit (organization, at);
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
            BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;

        CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            payload TEXT NOT NULL,
            unique_key TEXT,
            run_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
            lease_holder TEXT,
            lease_until INTEGER,
            created_at INTEGER NOT NULL,
            finished_at INTEGER,
            outcome TEXT CHECK (outcome IN ('done', 'failed', 'withdrawn')),
            result TEXT,
            CHECK ((finished_at IS NULL) = (outcome IS NULL))
        ) STRICT;
        CREATE INDEX jobs_due ON jobs (run_at) WHERE finished_at IS NULL;
        CREATE UNIQUE INDEX jobs_unique ON jobs (kind, unique_key) WHERE finished_at IS NULL AND unique_key IS NOT NULL;

        CREATE TABLE attempts (
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX attempts_by_subject ON attempts (kind, subject, at);
        CREATE INDEX attempts_by_time ON attempts (at);

        CREATE TABLE server_keys (
            name TEXT PRIMARY KEY,
            sealed BLOB NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        """

    private static let flightRecords: StaticString = """
        CREATE TABLE flight_records (
            organization TEXT NOT NULL,
            broadcast TEXT NOT NULL,
            source TEXT NOT NULL CHECK (source IN ('sender', 'control')),
            run INTEGER NOT NULL,
            number INTEGER NOT NULL,
            at INTEGER NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (organization, broadcast, source, run, number),
            FOREIGN KEY (organization, broadcast) REFERENCES broadcasts (organization, id)
        ) STRICT, WITHOUT ROWID;
        """

    private static let slates: StaticString = """
        CREATE TABLE slates (
            organization TEXT PRIMARY KEY REFERENCES organizations (id),
            picture BLOB NOT NULL CHECK (length(picture) <= 98304),
            changed_at INTEGER NOT NULL
        ) STRICT;
        """

    private static let mails: StaticString = """
        CREATE TABLE mails (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            purpose TEXT NOT NULL,
            about TEXT NOT NULL,
            sealed BLOB,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            finished_at INTEGER,
            outcome TEXT CHECK (outcome IN ('sent', 'given_up', 'withdrawn')),
            UNIQUE (organization, id),
            CHECK ((finished_at IS NULL) = (outcome IS NULL)),
            CHECK ((finished_at IS NULL) = (sealed IS NOT NULL))
        ) STRICT;
        CREATE INDEX mails_waiting ON mails (organization, about) WHERE finished_at IS NULL;
        """

    private static let passwordResets: StaticString = """
        CREATE TABLE password_resets (
            organization TEXT NOT NULL,
            user TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            PRIMARY KEY (organization, user),
            FOREIGN KEY (organization, user) REFERENCES users (organization, id)
        ) STRICT;
        CREATE INDEX mails_by_day ON mails (organization, purpose, created_at);
        """

    private static let drainingHosts: StaticString = """
        ALTER TABLE devices ADD COLUMN draining_at INTEGER;
        ALTER TABLE setup ADD COLUMN organization TEXT REFERENCES organizations (id);
        """

    private static let invitations: StaticString = """
        CREATE TABLE invitations (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL,
            email TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('admin', 'host', 'member')),
            message TEXT,
            hash BLOB NOT NULL UNIQUE,
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            issued_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            accepted_at INTEGER,
            withdrawn_at INTEGER,
            user TEXT,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, created_by) REFERENCES users (organization, id),
            FOREIGN KEY (organization, user) REFERENCES users (organization, id),
            CHECK ((accepted_at IS NULL) = (user IS NULL)),
            CHECK (accepted_at IS NULL OR withdrawn_at IS NULL)
        ) STRICT;
        CREATE UNIQUE INDEX invitations_open ON invitations (organization, email) WHERE accepted_at IS NULL AND withdrawn_at IS NULL;
        """

    private static let apiTokens: StaticString = """
        CREATE TABLE api_tokens (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL,
            user TEXT NOT NULL,
            name TEXT NOT NULL,
            scopes TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            last_used_at INTEGER,
            last_address TEXT,
            ended_at INTEGER,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, user) REFERENCES users (organization, id)
        ) STRICT;
        CREATE INDEX api_tokens_by_user ON api_tokens (organization, user);
        ALTER TABLE audit ADD COLUMN token TEXT;
        """

    private static let organizationSettings: StaticString = """
        CREATE TABLE organization_settings (
            organization TEXT PRIMARY KEY REFERENCES organizations (id),
            locale TEXT NOT NULL,
            registration TEXT NOT NULL CHECK (registration IN ('invite_only', 'open')),
            code_hash BLOB,
            code BLOB,
            terms TEXT,
            terms_url TEXT,
            changed_at INTEGER NOT NULL,
            CHECK ((registration = 'open') = (code_hash IS NOT NULL)),
            CHECK ((code_hash IS NULL) = (code IS NULL))
        ) STRICT;
        ALTER TABLE invitations ADD COLUMN by_code INTEGER NOT NULL DEFAULT 0 CHECK (by_code IN (0, 1));
        """

    /// What happened is read without the figures of each 5 s, which are most of a recorder. The condition stands in `FlightRecords` again.
    private static let flightEvents: StaticString = """
        CREATE INDEX flight_events ON flight_records (organization, broadcast, at, source, run, number)
            WHERE instr(text, '"kind":"sample"') = 0;
        """

    private static let healthSnapshots: StaticString = """
        CREATE TABLE health_snapshots (
            id TEXT PRIMARY KEY,
            at INTEGER NOT NULL,
            occasion TEXT NOT NULL CHECK (occasion IN ('scheduled', 'manual')),
            status TEXT NOT NULL CHECK (status IN ('healthy', 'degraded', 'unhealthy')),
            probes TEXT NOT NULL
        ) STRICT;
        CREATE INDEX health_snapshots_by_time ON health_snapshots (at);
        """

    private static let webhooks: StaticString = """
        CREATE TABLE webhooks (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            url TEXT NOT NULL,
            description TEXT NOT NULL,
            kinds TEXT,
            is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
            secret BLOB NOT NULL,
            older_secret BLOB,
            older_secret_until INTEGER,
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            failing_since INTEGER,
            last_number INTEGER NOT NULL DEFAULT 0,
            skipped INTEGER NOT NULL DEFAULT 0,
            UNIQUE (organization, id),
            CHECK ((older_secret IS NULL) = (older_secret_until IS NULL))
        ) STRICT;

        CREATE TABLE events (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            kind TEXT NOT NULL,
            at INTEGER NOT NULL,
            data TEXT NOT NULL,
            UNIQUE (organization, id)
        ) STRICT;

        CREATE TABLE deliveries (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            organization TEXT NOT NULL,
            webhook TEXT NOT NULL,
            event TEXT NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            summary TEXT NOT NULL,
            replay_of TEXT,
            state TEXT NOT NULL CHECK (state IN ('received', 'processing', 'processed', 'failed', 'retry_exhausted')),
            attempts INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL,
            attempted_at INTEGER,
            finished_at INTEGER,
            duration_ms INTEGER,
            status INTEGER,
            error TEXT,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, webhook) REFERENCES webhooks (organization, id) ON DELETE CASCADE,
            FOREIGN KEY (organization, event) REFERENCES events (organization, id),
            CHECK ((finished_at IS NULL) = (state IN ('received', 'processing', 'failed')))
        ) STRICT;
        CREATE INDEX deliveries_by_organization ON deliveries (organization, position);
        CREATE INDEX deliveries_by_webhook ON deliveries (organization, webhook, position);
        CREATE INDEX deliveries_waiting ON deliveries (organization, webhook, position) WHERE finished_at IS NULL;
        CREATE INDEX deliveries_by_event ON deliveries (organization, event);
        CREATE INDEX deliveries_by_time ON deliveries (created_at);

        ALTER TABLE devices ADD COLUMN online_told INTEGER NOT NULL DEFAULT 0 CHECK (online_told IN (0, 1));
        """

    /// `blob_copies` is filled in backups alone.
    private static let branding: StaticString = """
        CREATE TABLE blobs (
            organization TEXT NOT NULL REFERENCES organizations (id),
            area TEXT NOT NULL,
            name TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (organization, area, name)
        ) STRICT;

        CREATE TABLE blob_copies (
            organization TEXT NOT NULL,
            area TEXT NOT NULL,
            name TEXT NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (organization, area, name)
        ) STRICT;

        CREATE TABLE organization_branding (
            organization TEXT PRIMARY KEY REFERENCES organizations (id),
            theme TEXT NOT NULL,
            logo TEXT,
            icon TEXT,
            changed_at INTEGER NOT NULL
        ) STRICT;
        """

    private static let profiles: StaticString = """
        ALTER TABLE users ADD COLUMN avatar TEXT;
        CREATE TABLE email_changes (
            organization TEXT NOT NULL,
            user TEXT NOT NULL,
            email TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            PRIMARY KEY (organization, user),
            FOREIGN KEY (organization, user) REFERENCES users (organization, id)
        ) STRICT;
        """

    private static let wordings: StaticString = """
        CREATE TABLE wordings (
            organization TEXT NOT NULL REFERENCES organizations (id),
            locale TEXT NOT NULL,
            key TEXT NOT NULL,
            text TEXT NOT NULL,
            changed_at INTEGER NOT NULL,
            PRIMARY KEY (organization, locale, key)
        ) STRICT;
        """

    /// A user's own webhook has kinds that an organisation's never has: a program of the version before, which does not know whose it is, tells
    /// it nothing.
    private static let alerts: StaticString = """
        ALTER TABLE webhooks ADD COLUMN owner TEXT;
        CREATE UNIQUE INDEX webhooks_of_users ON webhooks (organization, owner) WHERE owner IS NOT NULL;

        CREATE TABLE alert_settings (
            organization TEXT NOT NULL,
            user TEXT NOT NULL,
            rules TEXT NOT NULL,
            by_mail INTEGER NOT NULL CHECK (by_mail IN (0, 1)),
            tells_recovery INTEGER NOT NULL CHECK (tells_recovery IN (0, 1)),
            changed_at INTEGER NOT NULL,
            PRIMARY KEY (organization, user),
            FOREIGN KEY (organization, user) REFERENCES users (organization, id)
        ) STRICT;

        CREATE TABLE incidents (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL,
            user TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            name TEXT NOT NULL,
            broadcast TEXT,
            reason TEXT,
            opened_at INTEGER NOT NULL,
            closed_at INTEGER,
            UNIQUE (organization, id),
            FOREIGN KEY (organization, user) REFERENCES users (organization, id)
        ) STRICT;
        CREATE UNIQUE INDEX incidents_open ON incidents (organization, user, kind, subject) WHERE closed_at IS NULL;
        CREATE INDEX incidents_by_user ON incidents (organization, user, opened_at);
        CREATE INDEX incidents_by_end ON incidents (closed_at);
        """

    /// A program of the version before lists who was removed as somebody who is shut out, under an address of nobody's, and cannot let them in.
    private static let removedUsers: StaticString = """
        ALTER TABLE users ADD COLUMN removed_at INTEGER CHECK (removed_at IS NULL OR is_active = 0);
        """

    private static let rooms: StaticString = """
        CREATE TABLE rooms (
            id TEXT PRIMARY KEY,
            organization TEXT NOT NULL REFERENCES organizations (id),
            name TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            UNIQUE (organization, id)
        ) STRICT;
        CREATE INDEX rooms_by_organization ON rooms (organization, created_at);
        """

    /// A program of the version before makes a new device of a token that renews one, and gives it no configuration.
    private static let preparedBoards: StaticString = """
        ALTER TABLE enrollment_tokens ADD COLUMN configuration TEXT;
        ALTER TABLE enrollment_tokens ADD COLUMN renews TEXT REFERENCES devices (id);
        """
}
