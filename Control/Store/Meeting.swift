import SQLite
package import Units
package import Wire

extension MeetingType: ColumnValue {}
extension MeetingState: ColumnValue {}
extension PresetName: ColumnValue {}

/// A meeting: what is planned, runs, or was.
package struct Meeting: Sendable, Hashable, OrganizationRow {
    package let id: MeetingID
    package let organization: OrganizationID
    /// Of its address; nobody else's.
    package let slug: String
    package let title: String
    package let description: String?
    package let type: MeetingType
    package let state: MeetingState
    /// Its own: what is nil is its organisation's.
    package let settings: MeetingSettings
    package let createdBy: UserID
    package let createdAt: Timestamp
    package let scheduledStart: Timestamp?
    package let scheduledEnd: Timestamp?
    package let startedAt: Timestamp?
    package let endedAt: Timestamp?
    /// While it is active, and only then.
    package let room: RoomID?

    static var table: OrganizationTable { .meetings }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        slug = try row["slug"]
        title = try row["title"]
        description = try row["description"]
        type = try row["type"]
        state = try row["state"]
        let settings: JSONColumn<MeetingSettings> = try row["settings"]
        self.settings = settings.value
        createdBy = try row["created_by"]
        createdAt = try row["created_at"]
        scheduledStart = try row["scheduled_start"]
        scheduledEnd = try row["scheduled_end"]
        startedAt = try row["started_at"]
        endedAt = try row["ended_at"]
        room = try row["room"]
    }
}

/// When a meeting is to be.
struct MeetingPlan {
    let start: Timestamp?
    let end: Timestamp?

    /// - Throws: `.invalid` for a start that has passed.
    func checkStart(at now: Timestamp) throws(StoreError) {
        if let start, start <= now { throw .invalid(field: "meeting.scheduled_start", expected: "a time to come") }
    }

    /// - Throws: `.invalid` for an end that does not lie behind the start.
    func checkEnd() throws(StoreError) {
        guard let end else { return }
        guard let start, end > start else { throw .invalid(field: "meeting.scheduled_end", expected: "a time after the start") }
    }

    /// - Throws: `.invalid` for what is no time.
    static func start(_ text: String) throws(StoreError) -> Timestamp {
        guard let time = Timestamp(text: text) else { throw .invalid(field: "meeting.scheduled_start", expected: expected) }
        return time
    }

    /// - Throws: as above.
    static func end(_ text: String) throws(StoreError) -> Timestamp {
        guard let time = Timestamp(text: text) else { throw .invalid(field: "meeting.scheduled_end", expected: expected) }
        return time
    }

    private static let expected = "a time as 2026-11-20T23:29:05.120Z"
}

/// The texts of a meeting.
enum MeetingText {
    static let titleLength = 100
    static let descriptionLength = 500

    static func title(_ text: String) throws(StoreError) -> String { try checked(text, "meeting.title", upTo: titleLength) }

    /// - Returns: nil for an empty one.
    static func description(_ text: String) throws(StoreError) -> String? {
        try text.isEmpty ? nil : checked(text, "meeting.description", upTo: descriptionLength)
    }
}
