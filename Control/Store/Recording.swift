package import Blobs
import SQLite
package import Units
package import Wire

extension RecordingState: ColumnValue {}
extension RecordingPolicy: ColumnValue {}

/// Where the files of a recording are stored, for good: a server that gets a bucket has what was recorded before on its disk.
package enum RecordingPlace: String, Sendable, Hashable, ColumnValue, CaseIterable { case disk, bucket }

/// A broadcast's recording (REC-06).
package struct Recording: Sendable, Hashable, OrganizationRow {
    package let id: RecordingID
    package let organization: OrganizationID
    package let broadcast: BroadcastID
    package let sender: DeviceID
    /// The sender's, when the broadcast began.
    package let name: String
    package let state: RecordingState
    package let reason: String?
    package let place: RecordingPlace
    /// Of the files that are stored.
    package let bytes: Int
    package let durationMs: Int
    package let createdAt: Timestamp
    /// The broadcast's end.
    package let endedAt: Timestamp?

    static var table: OrganizationTable { .recordings }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        organization = try row["organization"]
        broadcast = try row["broadcast"]
        sender = try row["sender"]
        name = try row["name"]
        state = try row["state"]
        reason = try row["reason"]
        place = try row["place"]
        bytes = try row["bytes"]
        durationMs = try row["duration_ms"]
        createdAt = try row["created_at"]
        endedAt = try row["ended_at"]
    }
}

/// One file of a recording.
package struct StoredRecordingFile: Sendable, Hashable, OrganizationRow {
    package let organization: OrganizationID
    package let recording: RecordingID
    package let lease: LeaseID
    /// Within its take.
    package let number: Int
    package let bytes: Int
    package let sha256: String
    package let beganAt: Timestamp
    package let durationMs: Int
    package let codecs: String
    package let width: Int?
    package let height: Int?
    /// Of what has begun to come.
    package let upload: String?
    /// nil while it is on its way.
    package let storedAt: Timestamp?

    static var table: OrganizationTable { .recordingFiles }

    init(_ row: borrowing Row) throws {
        organization = try row["organization"]
        recording = try row["recording"]
        lease = try row["lease"]
        number = try row["number"]
        bytes = try row["bytes"]
        sha256 = try row["sha256"]
        beganAt = try row["began_at"]
        durationMs = try row["duration_ms"]
        codecs = try row["codecs"]
        width = try row["width"]
        height = try row["height"]
        upload = try row["upload"]
        storedAt = try row["stored_at"]
    }

    /// Whatever its lease and number are, it is a name.
    package var key: ObjectKey { Self.key(recording, lease, number, in: organization) }

    package static let type = "video/mp4"

    package static func key(_ recording: RecordingID, _ lease: LeaseID, _ number: Int, in organization: OrganizationID) -> ObjectKey {
        guard let key = ObjectKey("\(lease)-\(number).mp4", in: .session(recording.ulid, .composite), of: organization) else {
            preconditionFailure("an id and a number make a name")
        }
        return key
    }
}

/// A part of a file that is stored already.
struct StoredRecordingPart: OrganizationRow {
    let part: ObjectPart

    static var table: OrganizationTable { .recordingParts }

    init(_ row: borrowing Row) throws { part = ObjectPart(number: try row["part"], bytes: try row["bytes"], tag: try row["tag"]) }
}

struct StoredRecordingTake: OrganizationRow {
    let lease: LeaseID
    let state: State
    let damaged: Int
    /// Its host has said that it has it.
    let isSeen: Bool

    /// What became of it.
    enum State: String, ColumnValue {
        /// It is on its host, or will be.
        case expected
        case stored
        /// Its host has nothing of it; should it come all the same, it is taken.
        case lost
    }

    static var table: OrganizationTable { .recordingTakes }

    init(_ row: borrowing Row) throws {
        lease = try row["lease"]
        state = try row["state"]
        damaged = try row["damaged"]
        let seenAt: Timestamp? = try row["seen_at"]
        isSeen = seenAt != nil
    }
}
