package import Units

// What is recorded of a broadcast: between receiver, pool and control.

extension Kind {
    package enum Recording {}
}

package typealias RecordingID = ID<Kind.Recording>

/// What a receiver's recording belongs to; where a stream has none, nothing is recorded.
package struct RecordingSpec: Codable, Sendable, Hashable {
    package var id: RecordingID
    package var organization: OrganizationID

    package init(id: RecordingID, organization: OrganizationID) {
        self.id = id
        self.organization = organization
    }
}

/// How the recording of a stream is.
package struct RecordingReport: Codable, Sendable, Hashable {
    package var state: State
    /// Why it waits or fails, for a person; of one that goes on, what is wrong with it all the same.
    package var reason: String?
    /// Written by this receiver.
    package var bytesTotal: Int
    /// Half a second each, left out because the disk did not take them in time.
    package var lostFragmentsTotal: Int

    package enum State: String, Codable, Sendable, CaseIterable {
        /// Nothing is written yet.
        case waiting
        case recording
        /// The disk takes nothing; it is tried again.
        case failing
    }

    package init(state: State, reason: String?, bytesTotal: Int, lostFragmentsTotal: Int) {
        self.state = state
        self.reason = reason
        self.bytesTotal = bytesTotal
        self.lostFragmentsTotal = lostFragmentsTotal
    }
}

/// What one lease has recorded, on the disk of its host: it is complete, and changes no more unless the lease goes on.
package struct RecordedTake: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package var recording: RecordingID
    package var organization: OrganizationID
    /// One after the other; none where no picture came.
    package var files: [RecordedFile]
    /// Half a second each, left out because the disk did not take them, or has damaged them since.
    package var damagedFragments: Int

    package init(
        lease: LeaseID, recording: RecordingID, organization: OrganizationID, files: [RecordedFile], damagedFragments: Int
    ) {
        self.lease = lease
        self.recording = recording
        self.organization = organization
        self.files = files
        self.damagedFragments = damagedFragments
    }
}

/// One MP4 file of a take: pictures of one size, and sound of one kind.
package struct RecordedFile: Codable, Sendable, Hashable {
    /// 1 for the take's first.
    package var number: Int
    package var bytes: Int
    /// Of all of it, 64 hexadecimal digits in lower case.
    package var sha256: String
    /// When its first picture came, by the host's clock, Unix milliseconds.
    package var beganAtMs: Int64
    package var durationMs: Int
    /// As of RFC 6381.
    package var codecs: String
    /// nil where it has no pictures.
    package var width: Int?
    package var height: Int?

    package init(
        number: Int, bytes: Int, sha256: String, beganAtMs: Int64, durationMs: Int, codecs: String, width: Int?, height: Int?
    ) {
        self.number = number
        self.bytes = bytes
        self.sha256 = sha256
        self.beganAtMs = beganAtMs
        self.durationMs = durationMs
        self.codecs = codecs
        self.width = width
        self.height = height
    }
}

/// What a host has recorded and control has not taken yet.
package struct RecordingList: Codable, Sendable, Hashable {
    /// Where not all have a place in one list, each has others.
    package var takes: [RecordedTake]
    /// Of every take that is on the disk, those that are not ready too.
    package var present: [LeaseID]
    /// Whether `present` has all of them.
    package var isComplete: Bool

    package init(takes: [RecordedTake], present: [LeaseID], isComplete: Bool) {
        self.takes = takes
        self.present = present
        self.isComplete = isComplete
    }
}

/// Asks a pool host for a take, over a connection of its own.
package struct BringRecordingOrder: Codable, Sendable, Hashable {
    package var lease: LeaseID
    /// Lets the connection in, once.
    package var ticket: SecretOnWire

    package init(lease: LeaseID, ticket: SecretOnWire) {
        self.lease = lease
        self.ticket = ticket
    }
}

/// The first message of such a connection, after the proof.
package struct BringRecordingHello: Codable, Sendable {
    package var ticket: SecretOnWire
    package init(ticket: SecretOnWire) { self.ticket = ticket }
}

/// From control over such a connection: answered by one binary message of exactly so many bytes of that file.
package struct RecordingAsk: Codable, Sendable, Hashable {
    package var file: Int
    package var offset: Int
    /// 1 to `WireLimits.recordingPiece`.
    package var count: Int

    package init(file: Int, offset: Int, count: Int) {
        self.file = file
        self.offset = offset
        self.count = count
    }
}
