import SQLite
import Units
package import Wire

extension MeetingEventKind: ColumnValue {}

/// Who came and went in an organisation's meetings, and who did what to whom there (MTG-35).
package struct MeetingEvents: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Of one meeting; beyond it the oldest comings and goings are forgotten.
    static let most = 10_000

    /// Somebody, as they were there.
    package struct Person: Sendable, Hashable {
        package let participant: ParticipantID
        /// Of an account, or of a guest's pass.
        package let identity: String
        package let name: String

        package init(participant: ParticipantID, identity: String, name: String) {
            self.participant = participant
            self.identity = identity
            self.name = name
        }
    }

    /// - Parameter actor: nil for whoever did it themselves.
    package func add(
        _ kind: MeetingEventKind, of person: Person, from: PresetName?, to: PresetName?, by actor: Person?, in meeting: MeetingID
    ) async throws {
        try await store.write { transaction in
            try add(kind, of: person, from: from, to: to, by: actor, in: meeting, transaction)
            try transaction.delete(
                from: .meetingEvents, in: scope,
                where: """
                    meeting = \(meeting) AND kind IN ('joined', 'left') AND rowid <= (SELECT rowid FROM meeting_events
                        WHERE organization = \(scope.organization) AND meeting = \(meeting) ORDER BY rowid DESC LIMIT 1 OFFSET \(Self.most))
                    """)
        }
    }

    private func add(
        _ kind: MeetingEventKind, of person: Person, from: PresetName?, to: PresetName?, by actor: Person?, in meeting: MeetingID,
        _ transaction: Transaction
    ) throws {
        try transaction.insert(
            into: .meetingEvents, in: scope,
            [
                "id": transaction.newID(Kind.MeetingEvent.self), "meeting": meeting, "at": transaction.now, "kind": kind,
                "participant": person.participant, "person": person.identity, "name": person.name, "from_preset": from,
                "to_preset": to, "actor": actor?.identity, "actor_name": actor?.name,
            ])
    }

    /// Whoever is still in a meeting by what stands here has left it: no seat outlives the server that gave it.
    package func vacate(_ meeting: MeetingID) async throws {
        try await store.write { transaction in
            let gone: SQL = """
                SELECT participant FROM meeting_events WHERE organization = \(scope.organization) AND meeting = \(meeting)
                    AND kind IN ('left', 'kicked')
                """
            let here = try transaction.rows(
                MeetingEvent.self, in: scope, where: "meeting = \(meeting) AND participant NOT IN (\(part: gone))", order: "rowid",
                limit: .max)
            var seats: [ParticipantID: MeetingEvent] = [:]
            // By the name that they had last.
            for event in here where event.kind == .joined || seats[event.participant] != nil { seats[event.participant] = event }
            for (participant, event) in seats.sorted(by: { $0.key < $1.key }) {
                let person = Person(participant: participant, identity: event.person, name: event.name)
                try add(.left, of: person, from: nil, to: nil, by: nil, in: meeting, transaction)
            }
        }
    }

    /// In their order.
    ///
    /// - Throws: `.missing` where there is no such meeting.
    package func page(of meeting: MeetingID, after last: MeetingEventID?, limit: Int) async throws -> [MeetingEvent] {
        try await store.read { transaction in
            _ = try transaction.row(Meeting.self, in: scope, where: "id = \(meeting)", or: "meeting")
            // Ids of one millisecond are in no order.
            let before: SQL = "SELECT rowid FROM meeting_events WHERE organization = \(scope.organization) AND id = \(last)"
            let condition: SQL = "meeting = \(meeting) AND (\(last) IS NULL OR rowid > (\(part: before)))"
            return try transaction.rows(MeetingEvent.self, in: scope, where: condition, order: "rowid", limit: limit)
        }
    }
}

/// Something that happened in a meeting.
package struct MeetingEvent: Sendable, Hashable, OrganizationRow {
    package let id: MeetingEventID
    package let at: Timestamp
    package let kind: MeetingEventKind
    package let participant: ParticipantID
    /// Of an account, or of a guest's pass.
    package let person: String
    package let name: String
    package let from: PresetName?
    package let to: PresetName?
    package let actorName: String?

    static var table: OrganizationTable { .meetingEvents }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        at = try row["at"]
        kind = try row["kind"]
        participant = try row["participant"]
        person = try row["person"]
        name = try row["name"]
        from = try row["from_preset"]
        to = try row["to_preset"]
        actorName = try row["actor_name"]
    }
}

extension ControlStore {
    package func meetingEvents(in scope: OrganizationScope) -> MeetingEvents { MeetingEvents(store: self, scope: scope) }
}
