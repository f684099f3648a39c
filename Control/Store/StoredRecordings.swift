import SQLite
package import Units
package import Wire

/// What of the recordings is asked for; nil: whatever it is.
package struct RecordingQuery: Sendable, Hashable {
    /// A part of its name, or the whole id of its broadcast.
    package var search: String?
    package var state: RecordingState?
    package var sender: DeviceID?
    /// Begun then or later, and before.
    package var from: Timestamp?
    package var to: Timestamp?
    /// Older than this one.
    package var before: RecordingID?
    package var limit = 50

    package init() {}

    /// What was removed is seen where it is asked for alone.
    fileprivate var condition: SQL {
        var condition: SQL = state.map { "state = \($0)" } ?? "state <> 'expired'"
        if let search {
            condition = "\(part: condition) AND (instr(lower(name), lower(\(search))) > 0 OR broadcast = \(search))"
        }
        if let sender { condition = "\(part: condition) AND sender = \(sender)" }
        if let from { condition = "\(part: condition) AND created_at >= \(from)" }
        if let to { condition = "\(part: condition) AND created_at < \(to)" }
        if let before { condition = "\(part: condition) AND id < \(before)" }
        return condition
    }
}

/// An organisation's recordings of broadcasts, and what it has decided about them.
package struct StoredRecordings: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    // MARK: Settings

    package func settings() async throws -> RecordingSettingsView { try await store.read { try $0.recordingSettings(in: scope) } }

    /// - Throws: `.invalid` for a time that is none of the terms.
    package func change(_ new: RecordingSettingsView) async throws {
        guard RecordingSettingsView.terms.contains(new.keepDays) else {
            throw StoreError.invalid(
                field: "recording.keep_days", expected: "one of \(RecordingSettingsView.terms.map { "\($0)" }.joined(separator: ", "))")
        }
        try await store.write(.durable) { transaction in
            guard try transaction.recordingSettings(in: scope) != new else { return }
            try transaction.delete(from: .recordingSettings, in: scope, where: "TRUE")
            try transaction.insert(
                into: .recordingSettings, in: scope, ["policy": new.policy, "keep_days": new.keepDays, "changed_at": transaction.now])
            try transaction.note(
                .recordingSettingsChanged, scope.organization.text, detail: "\(new.policy.rawValue), kept \(new.keepDays) days", in: scope)
        }
    }

    // MARK: Reading

    /// The newest first.
    package func page(_ query: RecordingQuery) async throws -> [Recording] {
        try await store.read { transaction in
            try transaction.rows(Recording.self, in: scope, where: query.condition, order: "id DESC", limit: min(max(query.limit, 1), 200))
        }
    }

    /// - Throws: `.missing`, for one that was removed too.
    package func find(_ id: RecordingID) async throws -> Recording {
        try await store.read { try $0.row(Recording.self, in: scope, where: "id = \(id) AND state <> 'expired'", or: "recording") }
    }

    /// In the order of their times.
    package func files(of id: RecordingID) async throws -> [StoredRecordingFile] {
        try await store.read { transaction in
            try transaction.rows(StoredRecordingFile.self, in: scope, where: "recording = \(id)", order: "began_at, lease, number")
        }
    }

    /// Of those that are on their way, in bytes: how much there is, stored and not, and what has come of files that are not stored yet.
    package func arriving(of ids: [RecordingID]) async throws -> [RecordingID: (expected: Int, arrived: Int)] {
        try await store.read { transaction in
            var result: [RecordingID: (expected: Int, arrived: Int)] = [:]
            for id in ids {
                let takes = try transaction.rows(StoredRecordingTake.self, in: scope, where: "recording = \(id)", order: "lease")
                let arrived = try takes.reduce(0) { sum, take in
                    try sum + transaction.sum("bytes", of: .recordingParts, in: scope, where: "lease = \(take.lease)")
                }
                let expected = try transaction.sum("bytes", of: .recordingFiles, in: scope, where: "recording = \(id)")
                result[id] = (expected: expected, arrived: arrived)
            }
            return result
        }
    }

    // MARK: A broadcast's course

    /// What a lease is to record of a broadcast; nil where it is not recorded. The lease's host is expected to have a take from then on.
    package func take(of broadcast: BroadcastID, by lease: LeaseID, on host: DeviceID) async throws -> RecordingSpec? {
        try await store.write(.durable) { transaction in
            let condition: SQL = "broadcast = \(broadcast) AND state IN ('invoked', 'recording')"
            guard let recording = try transaction.row(Recording.self, in: scope, where: condition) else { return nil }
            if try transaction.count(of: .recordingTakes, in: scope, where: "lease = \(lease)") == 0 {
                try transaction.insert(
                    into: .recordingTakes, in: scope,
                    ["recording": recording.id, "lease": lease, "host": host, "state": "expected", "created_at": transaction.now])
            } else {
                // It came back to a host that it was on before, or goes on where it is.
                try transaction.update(.recordingTakes, in: scope, set: ["host": host, "state": "expected"], where: "lease = \(lease)")
            }
            return RecordingSpec(id: recording.id, organization: scope.organization)
        }
    }

    /// The first of it is on a disk.
    package func began(of broadcast: BroadcastID) async throws {
        try await store.write(.durable) { transaction in
            let condition: SQL = "broadcast = \(broadcast) AND state = 'invoked'"
            guard let recording = try transaction.row(Recording.self, in: scope, where: condition) else { return }
            try transaction.setRecording(recording, to: .recording, reason: nil, in: scope)
        }
    }

    // MARK: Removing

    /// Takes a recording away from everybody; its files follow.
    ///
    /// - Parameter reason: nil where somebody does it.
    /// - Throws: `.missing`; `.recordingRuns` while its broadcast does.
    package func remove(_ id: RecordingID, because reason: String? = nil) async throws {
        try await store.write(.durable) { transaction in
            let recording = try transaction.row(Recording.self, in: scope, where: "id = \(id) AND state <> 'expired'", or: "recording")
            guard recording.endedAt != nil else { throw StoreError.recordingRuns }
            try transaction.update(.recordings, in: scope, set: ["removed_at": transaction.now, "state": "expired"], where: "id = \(id)")
            try transaction.setRecording(recording, to: .expired, reason: reason ?? "removed", in: scope)
            try transaction.note(.recordingRemoved, id.text, detail: reason ?? recording.name, in: scope)
        }
    }
}

extension ControlStore {
    package func recordings(in scope: OrganizationScope) -> StoredRecordings { StoredRecordings(store: self, scope: scope) }
}

/// What a start asks for, and where its files are to go.
package struct RecordingWish: Sendable, Hashable {
    /// nil: whatever the organisation has decided.
    package let isAsked: Bool?
    package let place: RecordingPlace

    package init(isAsked: Bool?, place: RecordingPlace) {
        self.isAsked = isAsked
        self.place = place
    }
}

extension Transaction {
    func recordingSettings(in scope: OrganizationScope) throws -> RecordingSettingsView {
        try row(RecordingSettingsRow.self, in: scope, where: "TRUE")?.settings ?? RecordingSettingsView()
    }

    /// Decides whether a broadcast is recorded that is being stored in this transaction.
    ///
    /// - Throws: `.invalid` where it must not be and was asked for; `.quota` where there is no room and it was asked for.
    func beginRecording(of broadcast: BroadcastID, sender: DeviceID, _ wish: RecordingWish, in scope: OrganizationScope) throws {
        let policy = try recordingSettings(in: scope).policy
        switch policy {
        case .never:
            guard wish.isAsked != true else {
                throw StoreError.invalid(field: "recording.record", expected: "false: the organisation records no broadcasts")
            }
            return
        case .asked: guard wish.isAsked == true else { return }
        case .always: break
        }
        let isFull = try storedBytes(in: scope) >= quotas[.storage] << 20
        // Who relies on it is refused; what the organisation has decided for all ends no broadcast, and is told.
        guard !isFull || wish.isAsked != true else { throw StoreError.quota(.storage, limit: quotas[.storage]) }
        let name = try row(Device.self, in: scope, where: "id = \(sender)", or: "sender").name
        let id: RecordingID = newID()
        try insert(
            into: .recordings, in: scope,
            [
                "id": id, "broadcast": broadcast, "sender": sender, "name": name, "state": RecordingState.invoked, "place": wish.place,
                "created_at": now,
            ])
        let recording = try row(Recording.self, in: scope, where: "id = \(id)", or: "recording")
        let reason = isFull ? "nothing is recorded: the organisation's \(quotas[.storage]) MiB of storage are full" : nil
        try setRecording(recording, to: isFull ? .errored : .invoked, reason: reason, in: scope)
    }

    /// The broadcast is over: what was recorded of it is to be brought.
    func endRecording(of broadcast: BroadcastID, in scope: OrganizationScope) throws {
        let condition: SQL = "broadcast = \(broadcast) AND ended_at IS NULL"
        guard let recording = try row(Recording.self, in: scope, where: condition) else { return }
        try update(.recordings, in: scope, set: ["ended_at": now], where: "id = \(recording.id)")
        guard recording.state == .invoked || recording.state == .recording else { return }
        let takes = try count(of: .recordingTakes, in: scope, where: "recording = \(recording.id)")
        let reason = takes == 0 ? "the broadcast was over before anything could be recorded" : nil
        try setRecording(recording, to: takes == 0 ? .errored : .uploading, reason: reason, in: scope)
    }

    func setRecording(_ recording: Recording, to state: RecordingState, reason: String?, in scope: OrganizationScope) throws {
        let reason = reason.map { clipped($0, to: 500) }
        try update(.recordings, in: scope, set: ["state": state, "reason": reason], where: "id = \(recording.id)")
        try tell(
            .recording(
                .init(
                    recording: recording.id, broadcast: recording.broadcast, state: state.rawValue,
                    was: state == recording.state ? nil : recording.state.rawValue, reason: reason)), in: scope)
    }

    /// Files and recordings of an organisation together.
    func storedBytes(in scope: OrganizationScope) throws -> Int {
        try sum("bytes", of: .blobs, in: scope, where: "TRUE") + sum("bytes", of: .recordings, in: scope, where: "TRUE")
    }
}

private struct RecordingSettingsRow: OrganizationRow {
    let settings: RecordingSettingsView

    static var table: OrganizationTable { .recordingSettings }

    init(_ row: borrowing Row) throws { settings = RecordingSettingsView(policy: try row["policy"], keepDays: try row["keep_days"]) }
}
