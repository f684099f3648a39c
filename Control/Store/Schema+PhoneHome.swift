extension Schema {
    /// Who is told lies sealed beside the server's own keys.
    static let phoneHome: StaticString = """
        CREATE TABLE phone_home_calls (
            id TEXT PRIMARY KEY,
            at INTEGER NOT NULL,
            occasion TEXT NOT NULL CHECK (occasion IN ('scheduled', 'manual')),
            place TEXT NOT NULL,
            body TEXT NOT NULL,
            status INTEGER,
            fault TEXT,
            CHECK ((status IS NULL) = (fault IS NOT NULL))
        ) STRICT;
        CREATE INDEX phone_home_calls_by_time ON phone_home_calls (at);
        """
}
