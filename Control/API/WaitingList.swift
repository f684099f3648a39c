import Store
import Units
import Wire

/// Guests who wait to be let into meetings, and have no pass for a room until somebody lets them in (MTG-38, MTG-40). Each is
/// known by the hash of a secret of theirs and asks again by it; whoever does not is gone. Holds no clock and no randomness; whom
/// a restart forgets knocks again.
struct WaitingList: Sendable {
    struct Guest: Sendable, Hashable {
        let id: WaitingGuestID
        let organization: OrganizationID
        let meeting: MeetingID
        /// Of its address.
        let slug: String
        let name: String
        /// What they will be.
        let preset: PresetName
        /// What the link says that they came by, and the link itself.
        let linkPreset: PresetName?
        let link: Secret?
        /// Where they come from: those of one place are counted together.
        let place: String
        let since: Timestamp
    }

    enum Decision: Sendable, Hashable { case admitted, refused }

    /// What has become of somebody who asks again.
    struct Standing: Sendable, Hashable {
        let guest: Guest
        /// nil until somebody has decided.
        let decision: Decision?
        /// For whoever has one already: the answer that it came with may have been lost.
        let pass: RoomPassView?
    }

    private struct Entry: Sendable {
        let guest: Guest
        var askedAt: Timestamp
        var decision: Decision?
        /// Their pass is being made.
        var isComing = false
        var pass: RoomPassView?
    }

    /// Whoever has not asked for so long is gone. Pages ask each 5 s, and once a minute while nobody looks at them: browsers slow
    /// their timers down.
    static let silence = Duration.seconds(90)
    /// Source: MTG-41.
    static let patience = Duration.seconds(600)
    static let perPlace = 10
    /// Before all of its meetings: who fills those keeps nobody from another's.
    static let perOrganization = 1000
    static let inAll = 10_000

    private var entries: [[UInt8]: Entry] = [:]

    /// Somebody begins to wait.
    ///
    /// - Parameter key: the hash of their secret.
    /// - Returns: false where too many wait already, of their place, at the organisation's meetings or in all.
    mutating func knock(_ guest: Guest, as key: [UInt8]) -> Bool {
        let now = guest.since
        entries = entries.filter { Self.isThere($0.value, at: now) }
        let ofPlace = entries.values.count { $0.guest.place == guest.place && $0.guest.meeting == guest.meeting }
        let ofOrganization = entries.values.count { $0.guest.organization == guest.organization }
        guard ofPlace < Self.perPlace, ofOrganization < Self.perOrganization, entries.count < Self.inAll else { return false }
        entries[key] = Entry(guest: guest, askedAt: now)
        return true
    }

    /// Somebody asks what has become of them.
    ///
    /// - Returns: nil for nobody who waits.
    mutating func ask(_ key: [UInt8], at now: Timestamp) -> Standing? {
        guard let entry = entries[key], Self.isThere(entry, at: now) else {
            entries[key] = nil
            return nil
        }
        entries[key]?.askedAt = now
        return Standing(guest: entry.guest, decision: entry.decision, pass: entry.pass)
    }

    /// Those about whom nobody has decided yet, in the order in which they came.
    func waiting(at meeting: MeetingID, at now: Timestamp) -> [Guest] {
        let there = entries.values.filter { $0.guest.meeting == meeting && $0.decision == nil && Self.isThere($0, at: now) }
        return there.map(\.guest).sorted { ($0.since, $0.id) < ($1.since, $1.id) }
    }

    /// - Returns: false where nobody waits there under that id.
    mutating func decide(_ id: WaitingGuestID, at meeting: MeetingID, _ decision: Decision, at now: Timestamp) -> Bool {
        let found = entries.first { _, entry in
            entry.guest.id == id && entry.guest.meeting == meeting && entry.decision == nil && Self.isThere(entry, at: now)
        }
        guard let key = found?.key else { return false }
        entries[key]?.decision = decision
        return true
    }

    /// A pass is made for somebody: by one request alone, so that their link is counted once.
    ///
    /// - Returns: false where another one does.
    mutating func begin(_ key: [UInt8]) -> Bool {
        guard let entry = entries[key], !entry.isComing, entry.pass == nil else { return false }
        entries[key]?.isComing = true
        return true
    }

    /// - Parameter pass: nil: it came to nothing.
    mutating func end(_ key: [UInt8], _ pass: RoomPassView?) {
        entries[key]?.isComing = false
        entries[key]?.pass = pass
    }

    /// A clock that was set back ends nobody's time later.
    private static func isThere(_ entry: Entry, at now: Timestamp) -> Bool {
        guard (.zero - silence...silence).contains(now - entry.askedAt) else { return false }
        return entry.decision != nil || now - entry.guest.since < patience
    }
}
