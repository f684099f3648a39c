package import Blobs
import SQLite
package import Units
package import Wire

/// What control remembers of recordings on their way from the disks of pool hosts into the store, whosever they are: whoever is killed goes on from
/// here.
package struct RecordingMoves: Sendable {
    let store: ControlStore

    /// What becomes of a take that a host has.
    package enum Decision: Sendable, Hashable {
        /// Its broadcast goes on.
        case wait
        case move(Take)
        /// It is stored, or nobody wants it any more.
        case discard
        /// Nobody knows of it: it stays where it is.
        case unknown
    }

    /// A take that is on its way.
    package struct Take: Sendable, Hashable {
        package let lease: LeaseID
        package let recording: RecordingID
        package let organization: OrganizationID
        package let place: RecordingPlace

        var scope: OrganizationScope { OrganizationScope(organization, by: .system) }
    }

    /// A file on its way.
    package struct Progress: Sendable, Hashable {
        package let key: ObjectKey
        package let isStored: Bool
        /// nil where none has begun.
        package let upload: ObjectUpload?
        /// By their numbers.
        package let parts: [ObjectPart]
        /// Of another file that had its place, to be given up.
        package let outdated: ObjectUpload?
    }

    private struct Row: Sendable {
        let take: Take
        let state: RecordingState
        let host: DeviceID
        let takeState: StoredRecordingTake.State
    }

    package func decide(_ take: RecordedTake, on host: DeviceID) async throws -> Decision {
        try await store.read { transaction in
            guard let row = try Self.row(of: take.lease, transaction) else {
                return try Self.isDeleted(take.organization, transaction) ? .discard : .unknown
            }
            guard row.take.recording == take.recording, row.take.organization == take.organization else { return .unknown }
            // A lease whose answer was lost began on another host as well; nobody sent anything to that one.
            guard row.host == host else { return take.files.isEmpty && take.damagedFragments == 0 ? .discard : .unknown }
            if row.takeState == .stored { return .discard }
            switch row.state {
            case .invoked, .recording: return .wait
            case .uploading, .processing, .ready, .errored: return .move(row.take)
            case .expired: return .discard
            }
        }
    }

    private static func row(of lease: LeaseID, _ transaction: Transaction) throws -> Row? {
        try transaction.across(.pool).first(
            """
            SELECT takes.lease, takes.host, takes.state AS take_state, recordings.id, recordings.organization, recordings.state, recordings.place
            FROM recording_takes AS takes
            JOIN recordings ON recordings.organization = takes.organization AND recordings.id = takes.recording
            WHERE takes.lease = \(lease)
            """
        ) { row -> Row in
            let take = Take(
                lease: try row["lease"], recording: try row["id"], organization: try row["organization"], place: try row["place"])
            return Row(take: take, state: try row["state"], host: try row["host"], takeState: try row["take_state"])
        }
    }

    /// One that was deleted here, and not one that this database has not heard of yet, as after a restore.
    private static func isDeleted(_ organization: OrganizationID, _ transaction: Transaction) throws -> Bool {
        let count: Int? = try transaction.across(.operation).first(
            "SELECT count(*) AS count FROM audit WHERE action = \(AuditAction.organizationDeleted) AND subject = \(organization)"
        ) { try $0["count"] }
        return count ?? 0 > 0
    }

    // MARK: One file

    /// Writes a file down that is to come, and says how far it is. One that is another one than before begins anew.
    ///
    /// - Throws: `.missing` where the recording was removed.
    package func expect(_ file: RecordedFile, of take: Take) async throws -> Progress {
        let scope = take.scope
        return try await store.write(.durable) { transaction in
            try transaction.demandRecording(take)
            let place: SQL = "lease = \(take.lease) AND number = \(file.number)"
            let key = StoredRecordingFile.key(take.recording, take.lease, file.number, in: take.organization)
            var outdated: ObjectUpload?
            if let known = try transaction.row(StoredRecordingFile.self, in: scope, where: place) {
                if known.sha256 == file.sha256, known.bytes == file.bytes {
                    let parts = try transaction.rows(StoredRecordingPart.self, in: scope, where: place, order: "part").map(\.part)
                    return Progress(
                        key: key, isStored: known.storedAt != nil, upload: known.upload.map { ObjectUpload(key, id: $0) }, parts: parts,
                        outdated: nil)
                }
                outdated = known.upload.map { ObjectUpload(key, id: $0) }
                if known.storedAt != nil { try transaction.addRecorded(-known.bytes, -known.durationMs, to: take) }
                try transaction.delete(from: .recordingFiles, in: scope, where: place)
            }
            try transaction.insert(
                into: .recordingFiles, in: scope,
                [
                    "recording": take.recording, "lease": take.lease, "number": file.number, "bytes": file.bytes, "sha256": file.sha256,
                    "began_at": Timestamp(unixMs: file.beganAtMs), "duration_ms": file.durationMs, "codecs": file.codecs,
                    "width": file.width, "height": file.height,
                ])
            return Progress(key: key, isStored: false, upload: nil, parts: [], outdated: outdated)
        }
    }

    /// - Parameter upload: nil: it begins anew.
    package func begun(_ upload: ObjectUpload?, _ number: Int, of take: Take) async throws {
        let scope = take.scope
        let place: SQL = "lease = \(take.lease) AND number = \(number)"
        try await store.write(.durable) { transaction in
            try transaction.demandRecording(take)
            try transaction.delete(from: .recordingParts, in: scope, where: place)
            try transaction.updateOne(.recordingFiles, in: scope, set: ["upload": upload?.id], where: place, or: "file")
        }
    }

    package func sent(_ part: ObjectPart, _ number: Int, of take: Take) async throws {
        try await store.write(.durable) { transaction in
            try transaction.demandRecording(take)
            try transaction.insert(
                into: .recordingParts, in: take.scope,
                ["lease": take.lease, "number": number, "part": part.number, "bytes": part.bytes, "tag": part.tag])
        }
    }

    /// A file lies in the store, whole and read back.
    package func stored(_ file: RecordedFile, of take: Take) async throws {
        let scope = take.scope
        let place: SQL = "lease = \(take.lease) AND number = \(file.number)"
        try await store.write(.durable) { transaction in
            try transaction.demandRecording(take)
            try transaction.delete(from: .recordingParts, in: scope, where: place)
            let count = try transaction.update(
                .recordingFiles, in: scope, set: ["upload": String?.none, "stored_at": transaction.now],
                where: "\(part: place) AND stored_at IS NULL")
            if count == 1 { try transaction.addRecorded(file.bytes, file.durationMs, to: take) }
        }
    }

    // MARK: Takes

    /// All of a take's files are stored; with the last take its recording is ready.
    package func finished(_ recorded: RecordedTake, of take: Take) async throws {
        try await store.write(.durable) { transaction in
            try transaction.demandRecording(take)
            // What was told of it before and is not in it.
            let surplus: SQL = "lease = \(take.lease) AND number > \(recorded.files.count)"
            for file in try transaction.rows(StoredRecordingFile.self, in: take.scope, where: surplus, order: "number")
            where file.storedAt != nil {
                try transaction.addRecorded(-file.bytes, -file.durationMs, to: take)
            }
            try transaction.delete(from: .recordingFiles, in: take.scope, where: surplus)
            try transaction.update(
                .recordingTakes, in: take.scope, set: ["state": "stored", "damaged": recorded.damagedFragments],
                where: "lease = \(take.lease)")
            try transaction.settleRecording(take.recording, in: take.scope)
        }
    }

    /// Why it does not come now.
    package func held(_ take: Take, because reason: String) async throws {
        try await store.write { transaction in
            _ = try transaction.update(
                .recordings, in: take.scope, set: ["reason": clipped(reason, to: 500)],
                where: "id = \(take.recording) AND state = 'uploading'")
        }
    }

    /// Between a broadcast's end and what its host says of it.
    private static let patience = Duration.seconds(120)

    /// A host has said which takes are on its disk, all of them: one that it had once and has no more is lost, and one that it never had was hardly
    /// begun. Either stays known: a disk that was not there may come back, with the take on it.
    ///
    /// - Returns: how many are lost.
    package func missing(on host: DeviceID, present: Set<LeaseID>) async throws -> Int {
        let limit = store.now - Self.patience
        var lost = 0
        for one in try await store.read({ try Self.expected(on: host, $0) }) {
            let isThere = present.contains(one.take.lease)
            let isOver = one.state == .uploading && (one.endedAt.map { $0 < limit } ?? false)
            guard isThere ? !one.isSeen : isOver else { continue }
            try await store.write(.durable) { transaction in
                let condition: SQL = "lease = \(one.take.lease) AND state = 'expected'"
                if isThere {
                    try transaction.update(.recordingTakes, in: one.take.scope, set: ["seen_at": transaction.now], where: condition)
                } else {
                    try transaction.update(.recordingTakes, in: one.take.scope, set: ["state": "lost"], where: condition)
                }
                if !isThere { try transaction.settleRecording(one.take.recording, in: one.take.scope) }
            }
            if !isThere, one.isSeen { lost += 1 }
        }
        return lost
    }

    /// A take that is yet to be brought.
    private struct Expected: Sendable {
        let take: Take
        let state: RecordingState
        let endedAt: Timestamp?
        let isSeen: Bool
    }

    private static func expected(on host: DeviceID, _ transaction: Transaction) throws -> [Expected] {
        try transaction.across(.pool).all(
            """
            SELECT takes.lease, takes.seen_at, recordings.id, recordings.organization, recordings.place, recordings.state, recordings.ended_at
            FROM recording_takes AS takes
            JOIN recordings ON recordings.organization = takes.organization AND recordings.id = takes.recording
            WHERE takes.host = \(host) AND takes.state = 'expected' LIMIT 1000
            """
        ) { row -> Expected in
            let seenAt: Timestamp? = try row["seen_at"]
            let take = Take(
                lease: try row["lease"], recording: try row["id"], organization: try row["organization"], place: try row["place"])
            return Expected(take: take, state: try row["state"], endedAt: try row["ended_at"], isSeen: seenAt != nil)
        }
    }

    // MARK: The end

    private static let dayMs: Int64 = 86_400_000

    /// A recording that is older than its organisation keeps it.
    package struct Outlived: Sendable, Hashable {
        package let id: RecordingID
        let organization: OrganizationID
        let days: Int
    }

    /// Recordings that are older than their organisation keeps them, by the wall clock as it is; the oldest first.
    package func outlived() async throws -> [Outlived] {
        let now = store.now
        return try await store.read { transaction in
            try transaction.across(.operation).all(
                """
                SELECT recordings.id, recordings.organization, settings.keep_days FROM recordings
                JOIN recording_settings AS settings ON settings.organization = recordings.organization
                WHERE recordings.state IN ('ready', 'errored') AND settings.keep_days > 0
                AND recordings.ended_at + settings.keep_days * \(Self.dayMs) <= \(now) ORDER BY recordings.ended_at LIMIT 500
                """
            ) { row -> Outlived in
                Outlived(id: try row["id"], organization: try row["organization"], days: try row["keep_days"])
            }
        }
    }

    /// Removes them; one that somebody has removed is so already.
    package func remove(_ outlived: [Outlived]) async throws {
        for one in outlived {
            let recordings = store.recordings(in: OrganizationScope(one.organization, by: .system))
            do {
                try await recordings.remove(one.id, because: "recordings are kept for \(one.days) days")
            } catch StoreError.missing {
                // Somebody was faster.
                continue
            }
        }
    }

    /// Those that were removed, and whose files are there still.
    ///
    /// - Parameter places: those that can be reached: what lies elsewhere keeps no other from its turn.
    package func uncleared(at places: [RecordingPlace] = RecordingPlace.allCases) async throws -> [Recording] {
        var result: [Recording] = []
        for place in places {
            result += try await store.read { transaction in
                try transaction.across(.operation).all(
                    """
                    SELECT * FROM recordings WHERE state = 'expired' AND is_cleared = 0 AND place = \(place)
                    ORDER BY removed_at LIMIT 100
                    """, Recording.init)
            }
        }
        return result
    }

    /// Uploads that have begun of a recording's files, to be given up.
    package func uploads(of recording: Recording) async throws -> [ObjectUpload] {
        let scope = OrganizationScope(recording.organization, by: .system)
        return try await store.read { transaction in
            try transaction.rows(
                StoredRecordingFile.self, in: scope, where: "recording = \(recording.id) AND upload IS NOT NULL", order: "lease, number"
            ).compactMap { file in file.upload.map { ObjectUpload(file.key, id: $0) } }
        }
    }

    /// Nothing of it is stored any more.
    package func cleared(_ recording: Recording) async throws {
        let scope = OrganizationScope(recording.organization, by: .system)
        try await store.write(.durable) { transaction in
            try transaction.delete(from: .recordingFiles, in: scope, where: "recording = \(recording.id)")
            try transaction.update(
                .recordings, in: scope, set: ["bytes": 0, "duration_ms": 0, "is_cleared": true],
                where: "id = \(recording.id) AND state = 'expired'")
        }
    }
}

extension ControlStore {
    package var recordingMoves: RecordingMoves { RecordingMoves(store: self) }
}

extension Transaction {
    /// - Throws: `.missing` where it was removed meanwhile.
    fileprivate func demandRecording(_ take: RecordingMoves.Take) throws {
        let condition: SQL = "id = \(take.recording) AND state <> 'expired'"
        _ = try row(Recording.self, in: take.scope, where: condition, or: "recording")
    }

    fileprivate func addRecorded(_ bytes: Int, _ durationMs: Int, to take: RecordingMoves.Take) throws {
        let condition: SQL = "id = \(take.recording)"
        let recording = try row(Recording.self, in: take.scope, where: condition, or: "recording")
        try update(
            .recordings, in: take.scope, set: ["bytes": recording.bytes + bytes, "duration_ms": recording.durationMs + durationMs],
            where: condition)
    }

    /// A recording of whose takes none is expected any more is ready, or there is nothing of it.
    fileprivate func settleRecording(_ id: RecordingID, in scope: OrganizationScope) throws {
        let takes = try rows(StoredRecordingTake.self, in: scope, where: "recording = \(id)", order: "lease")
        guard !takes.contains(where: { $0.state == .expected }),
            let recording = try row(Recording.self, in: scope, where: "id = \(id) AND state <> 'expired'"), recording.endedAt != nil
        else { return }
        let files = try count(of: .recordingFiles, in: scope, where: "recording = \(id) AND stored_at IS NOT NULL")
        let lost = takes.count(where: { $0.state == .lost && $0.isSeen })
        let begun = takes.count(where: { $0.state == .stored || $0.isSeen })
        let damaged = takes.reduce(0) { $0 + $1.damaged }
        var reasons: [String] = []
        if lost > 0 { reasons.append("\(lost) of its \(begun) takes never came: their hosts have nothing of them") }
        if damaged > 0 {
            reasons.append("\(damaged) pieces of half a second are missing: the host's disk did not take them, or has damaged them")
        }
        if files == 0, reasons.isEmpty { reasons.append("no picture came that could be recorded") }
        let reason = reasons.isEmpty ? nil : reasons.joined(separator: "; ")
        try update(.recordings, in: scope, set: ["ready_at": now], where: "id = \(id)")
        try setRecording(recording, to: files == 0 ? .errored : .ready, reason: reason, in: scope)
    }
}
