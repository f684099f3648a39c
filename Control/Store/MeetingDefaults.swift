import Meetings
import SQLite
import Units
package import Wire

/// What an organisation has decided for its meetings (ORG-08).
package struct MeetingDefaults: Sendable, Hashable {
    package var settings = MeetingSettings()
    /// What no meeting decides for itself.
    package var locked: Set<MeetingSetting> = []

    package init() {}

    package init(settings: MeetingSettings, locked: Set<MeetingSetting>) {
        self.settings = settings
        self.locked = locked
    }
}

package struct StoredMeetingDefaults: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    package func find() async throws -> MeetingDefaults { try await store.read { try $0.meetingDefaults(in: scope) } }

    /// Replaces all of them; meetings that run follow too.
    ///
    /// - Throws: `.invalid` for a number out of its bounds.
    package func save(_ new: MeetingDefaults) async throws {
        try new.settings.checkBounds()
        try await store.write(.durable) { transaction in
            let old = try transaction.meetingDefaults(in: scope)
            guard new != old else { return }
            try transaction.delete(from: .meetingDefaults, in: scope, where: "TRUE")
            try transaction.insert(
                into: .meetingDefaults, in: scope,
                [
                    "settings": try JSONColumn(new.settings), "locked": try JSONColumn(new.locked.map(\.rawValue).sorted()),
                    "changed_at": transaction.now,
                ])
            try transaction.note(.meetingDefaultsChanged, scope.organization.text, detail: new.difference(from: old), in: scope)
        }
    }
}

extension ControlStore {
    package func meetingDefaults(in scope: OrganizationScope) -> StoredMeetingDefaults { StoredMeetingDefaults(store: self, scope: scope) }
}

extension MeetingDefaults {
    /// What has another value, for the audit log.
    fileprivate func difference(from old: MeetingDefaults) -> String {
        let changed = MeetingSetting.allCases.filter { settings.differs(in: $0, from: old.settings) }.map(\.rawValue)
        let locks = MeetingSetting.allCases.filter { locked.contains($0) != old.locked.contains($0) }
        return (changed + locks.map { "\($0.rawValue) \(locked.contains($0) ? "locked" : "unlocked")" }).joined(separator: ", ")
    }
}

extension MeetingSettings {
    /// - Throws: `.invalid`.
    func checkBounds() throws(StoreError) {
        if let wrong = outOfBounds.first {
            throw .setting(wrong.setting, "a whole number from \(wrong.bounds.lowerBound) to \(wrong.bounds.upperBound)")
        }
    }
}

extension StoreError {
    /// Of a request that has settings in it.
    static func setting(_ setting: MeetingSetting, _ expected: String) -> StoreError {
        let place = "settings." + setting.rawValue
        return .invalid(field: place, expected: expected)
    }
}

private struct MeetingDefaultsRow: OrganizationRow {
    let defaults: MeetingDefaults

    static var table: OrganizationTable { .meetingDefaults }

    init(_ row: borrowing Row) throws {
        let settings: JSONColumn<MeetingSettings> = try row["settings"]
        let locked: JSONColumn<[String]> = try row["locked"]
        // What a newer program knows as a setting is none here.
        defaults = MeetingDefaults(settings: settings.value, locked: Set(locked.value.compactMap { MeetingSetting(rawValue: $0) }))
    }
}

extension Transaction {
    func meetingDefaults(in scope: OrganizationScope) throws -> MeetingDefaults {
        try row(MeetingDefaultsRow.self, in: scope, where: "TRUE")?.defaults ?? MeetingDefaults()
    }
}
