-- A database of the schema before migration 4: an organisation, its owner (password "correct horse battery staple"), a sender and a
-- destination whose secret is sealed under master.key beside this file. Made by the program of migration 4, with that
-- migration's tables taken out again; no release had the older schema.
CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    platform_version TEXT NOT NULL
) STRICT;
INSERT INTO migrations VALUES(1,'accounts','2026-11-20T12:00:00.000Z','0.0.9');
INSERT INTO migrations VALUES(2,'devices','2026-11-20T12:00:00.000Z','0.0.9');
INSERT INTO migrations VALUES(3,'broadcasts','2026-11-20T12:00:00.000Z','0.0.9');
CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO organizations VALUES('01M7Y0FYTBVZ4Y9R7KH72H14VK','Demonstration','demo',1795229743947);
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
INSERT INTO users VALUES('01M7Y0FYTBF14VAGPWH0A5KHP0','01M7Y0FYTBVZ4Y9R7KH72H14VK','owner@example.org','Owner','owner',1,'$argon2id$v=19$m=65536,t=3,p=1$SK6wslr0VKtIZm2nwTxAcg$2jH5XvHSGdawpbFyhA27mpui3y06NjFaKI8/4wVNASo',1795229743947,1795229743949);
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
CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY,
    organization TEXT NOT NULL,
    session TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    rotated_at INTEGER,
    successor BLOB,
    FOREIGN KEY (organization, session) REFERENCES sessions (organization, id) ON DELETE CASCADE
) STRICT;
CREATE TABLE setup (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
INSERT INTO setup VALUES(1,X'55bb9c44accf9e853f2831d8d3589b74a5f16d4aad30a6d5efb4768acfc938da',1795229741674,1795229743947);
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
INSERT INTO devices VALUES('01M7Y0H09GR6P54G9A3MVDE1VC','01M7Y0FYTBVZ4Y9R7KH72H14VK','sender','truck',X'49acc191aa847ab6efe9ac68f5c8de3800ea795e2bd02095a477b1655c77a7da',1795229778224,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
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
INSERT INTO enrollment_tokens VALUES('01M7Y0FYW3WCCK40G34CW3SMCY','01M7Y0FYTBVZ4Y9R7KH72H14VK','sender',X'ea7fb95bd1b7c5fc35bb02dcfef04d5dc8263f4b26a3e233369db184b59485dc','sender',1795229744003,1795316144003,NULL,1795229778224,'01M7Y0H09GR6P54G9A3MVDE1VC');
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
INSERT INTO destinations VALUES('01M7Y0FYVAR046HVPFA89RHTS6','01M7Y0FYTBVZ4Y9R7KH72H14VK','Tube','{"rtmp":{"_0":{"application":"live2","host":"a.rtmps.youtube.com","platform":"youtube","port":443,"tls":true}}}',X'01000000013aafd92c543f8f4d5ec5f78f9a79f0fcb5747553b13a91346905221e3ef212c757f3c420eb4157dd',1795229743978,1795229743978,NULL);
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
CREATE UNIQUE INDEX users_one_owner ON users (organization) WHERE role = 'owner';
CREATE INDEX users_by_email ON users (email);
CREATE INDEX sessions_by_user ON sessions (organization, user);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (organization, session);
CREATE INDEX enrollment_tokens_by_organization ON enrollment_tokens (organization);
CREATE UNIQUE INDEX destinations_name ON destinations (organization, name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX broadcasts_one_per_sender ON broadcasts (sender) WHERE ended_at IS NULL;
