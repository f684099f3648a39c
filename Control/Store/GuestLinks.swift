import Crypto
import Meetings
import SQLite
package import Units
package import Wire

/// A link by which a few people without an account come to one meeting, for a while; the secret itself is shown once and stored as its hash only.
package struct GuestLink: Sendable, Hashable, OrganizationRow {
    package let id: GuestLinkID
    package let organization: OrganizationID
    package let meeting: MeetingID
    package let label: String
    /// What whoever comes by it is; nil for what guests of the meeting are.
    package let preset: PresetName?
    package let createdBy: UserID
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
    package let mostUses: Int
    package let uses: Int
    package let lastUsedAt: Timestamp?
    package let withdrawnAt: Timestamp?

    static var table: OrganizationTable { .guestLinks }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        meeting = try row["meeting"]
        label = try row["label"]
        preset = try row["preset"]
        createdBy = try row["created_by"]
        createdAt = try row["created_at"]
        expiresAt = try row["expires_at"]
        mostUses = try row["most_uses"]
        uses = try row["uses"]
        lastUsedAt = try row["last_used_at"]
        withdrawnAt = try row["withdrawn_at"]
    }
}

/// The guest links of an organisation's meetings.
package struct GuestLinks: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// Makes a link of the user who acts.
    ///
    /// - Parameters:
    ///   - secret: 256 random bits as text; only its hash is stored.
    ///   - uses: how many come by it.
    /// - Throws: `.missing`; `.meetingIs` where the meeting is over; `.invalid` for the label, or a preset that no guest of the meeting has; `.quota`.
    package func create(
        _ secret: Secret, for meeting: MeetingID, label: String, preset: PresetName?, uses: Int, lifetime: Duration
    ) async throws -> GuestLink {
        guard let creator = scope.author.user else { throw StoreError.missing("user") }
        let label = try checked(label, "guest_link.label", upTo: 100)
        return try await store.write(.durable) { transaction in
            let now = transaction.now
            let found = try transaction.row(Meeting.self, in: scope, where: "id = \(meeting)", or: "meeting")
            guard !found.state.isOver else { throw StoreError.meetingIs(found.state) }
            if let preset, !Seat.isGood(preset, in: found.type) {
                throw StoreError.invalid(field: "guest_link.preset", expected: "one of a \(found.type.rawValue) meeting, and no host's")
            }
            try transaction.admit(
                .guestLinks, of: .guestLinks, where: "meeting = \(meeting) AND \(part: transaction.goodLink)", by: store.quotas, in: scope)
            let id: GuestLinkID = transaction.newID()
            try transaction.insert(
                into: .guestLinks, in: scope,
                [
                    "id": id, "meeting": meeting, "hash": SHA256.hash(secret.revealed), "label": label, "preset": preset,
                    "created_by": creator, "created_at": now, "expires_at": now + lifetime, "most_uses": uses,
                ])
            try transaction.note(.guestLinkCreated, meeting.text, detail: "\(label) (\(id.text))", in: scope)
            return try transaction.row(GuestLink.self, in: scope, where: "id = \(id)", or: "guest link")
        }
    }

    /// Those of a meeting by which somebody may still come, the newest first.
    ///
    /// - Throws: `.missing`.
    package func all(of meeting: MeetingID) async throws -> [GuestLink] {
        try await store.read { transaction in
            _ = try transaction.row(Meeting.self, in: scope, where: "id = \(meeting)", or: "meeting")
            return try transaction.rows(
                GuestLink.self, in: scope, where: "meeting = \(meeting) AND \(part: transaction.goodLink)", order: "id DESC")
        }
    }

    /// Nobody comes by it any more.
    ///
    /// - Throws: `.missing` where nobody did before.
    package func withdraw(_ id: GuestLinkID, of meeting: MeetingID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .guestLinks, in: scope, set: ["withdrawn_at": transaction.now],
                where: "id = \(id) AND meeting = \(meeting) AND \(part: transaction.goodLink)", or: "guest link")
            try transaction.note(.guestLinkWithdrawn, meeting.text, detail: id.text, in: scope)
        }
    }
}

extension Identities {
    /// What a secret is the link of, where it is one of this meeting and somebody may come by it now.
    package func guestLink(_ secret: Secret, of meeting: MeetingID) async throws -> GuestLink? {
        try await store.read { try $0.guestLink(secret, of: meeting) }
    }

    /// Counts somebody who comes by a link, as long as there is room in it.
    ///
    /// - Parameter address: where the request came from, for the audit log.
    /// - Throws: `.linkRefused`.
    package func useGuestLink(_ secret: Secret, of meeting: MeetingID, from address: String) async throws -> GuestLink {
        try await store.write(.durable) { transaction in
            guard let link = try transaction.guestLink(secret, of: meeting) else { throw StoreError.linkRefused }
            let scope = OrganizationScope(link.organization, by: .visitor(address: address))
            try transaction.updateOne(
                .guestLinks, in: scope, set: ["uses": link.uses + 1, "last_used_at": transaction.now], where: "id = \(link.id)",
                or: "guest link")
            try transaction.note(.guestLinkUsed, meeting.text, detail: link.id.text, in: scope)
            return try transaction.row(GuestLink.self, in: scope, where: "id = \(link.id)", or: "guest link")
        }
    }
}

extension ControlStore {
    package func guestLinks(in scope: OrganizationScope) -> GuestLinks { GuestLinks(store: self, scope: scope) }
}

extension Transaction {
    /// By which somebody may come now. One whose making lies ahead was made before the clock was set back, and would be good for too long.
    fileprivate var goodLink: SQL {
        "withdrawn_at IS NULL AND uses < most_uses AND expires_at > \(now) AND created_at <= \(now + PasswordResets.setBack)"
    }

    fileprivate func guestLink(_ secret: Secret, of meeting: MeetingID) throws -> GuestLink? {
        try across(.identification).first(
            "SELECT * FROM guest_links WHERE hash = \(SHA256.hash(secret.revealed)) AND meeting = \(meeting) AND \(part: goodLink)",
            GuestLink.init)
    }

    /// With the end of a meeting.
    func withdrawGuestLinks(of meeting: MeetingID, in scope: OrganizationScope) throws {
        try update(.guestLinks, in: scope, set: ["withdrawn_at": now], where: "meeting = \(meeting) AND withdrawn_at IS NULL")
    }
}
