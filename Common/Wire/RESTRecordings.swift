package import Units

// Bodies of the REST API: recordings.

/// What becomes of a recording; once shipped a name is never changed.
package enum RecordingState: String, Codable, Sendable, CaseIterable {
    /// It was asked for, and nothing of it is there yet.
    case invoked
    case recording
    /// The broadcast is over; what its hosts have is on its way into the store.
    case uploading
    case processing
    case ready
    /// There is nothing of it; the reason says why.
    case errored
    /// Removed, by somebody or by its age.
    case expired
}

/// Whether an organisation's broadcasts are recorded.
package enum RecordingPolicy: String, Codable, Sendable, CaseIterable {
    case always
    /// Where whoever starts one asks for it.
    case asked
    case never
}

/// `PUT /recording-settings`, and what it is.
package struct RecordingSettingsView: Codable, Sendable, Hashable {
    package var policy: RecordingPolicy
    /// After the broadcast's end; 0: until somebody removes it.
    package var keepDays: Int

    /// Source: decisions 'retention'.
    package static let terms = [0, 7, 30, 90, 365]

    package init(policy: RecordingPolicy = .asked, keepDays: Int = 0) {
        self.policy = policy
        self.keepDays = keepDays
    }
}

package struct RecordingView: Codable, Sendable, Hashable {
    package var id: RecordingID
    package var broadcast: BroadcastID
    package var sender: DeviceID
    /// The sender's when the broadcast began.
    package var name: String
    package var state: RecordingState
    package var reason: String?
    package var createdAt: String
    /// Of the broadcast.
    package var endedAt: String?
    /// When it is removed by its age; nil where it is kept.
    package var expiresAt: String?
    /// Of what is stored.
    package var bytes: Int
    package var durationMs: Int
    /// Of one that is on its way: how many of its bytes have come; nil where it is not known how many there are.
    package var percent: Int?
    /// In a list nil.
    package var files: [File]?

    /// One after the other: what comes after a change of the picture's size, or from another host, is a file of its own.
    package struct File: Codable, Sendable, Hashable {
        package var number: Int
        package var bytes: Int
        package var sha256: String
        package var beganAt: String
        package var durationMs: Int
        package var codecs: String
        package var width: Int?
        package var height: Int?
        package var stored: Bool

        package init(
            number: Int, bytes: Int, sha256: String, beganAt: String, durationMs: Int, codecs: String, width: Int?, height: Int?,
            stored: Bool
        ) {
            self.number = number
            self.bytes = bytes
            self.sha256 = sha256
            self.beganAt = beganAt
            self.durationMs = durationMs
            self.codecs = codecs
            self.width = width
            self.height = height
            self.stored = stored
        }
    }

    package init(
        id: RecordingID, broadcast: BroadcastID, sender: DeviceID, name: String, state: RecordingState, reason: String?,
        createdAt: String, endedAt: String?, expiresAt: String?, bytes: Int, durationMs: Int, percent: Int?, files: [File]? = nil
    ) {
        self.id = id
        self.broadcast = broadcast
        self.sender = sender
        self.name = name
        self.state = state
        self.reason = reason
        self.createdAt = createdAt
        self.endedAt = endedAt
        self.expiresAt = expiresAt
        self.bytes = bytes
        self.durationMs = durationMs
        self.percent = percent
        self.files = files
    }
}

/// `GET /recordings`.
package struct RecordingPage: Codable, Sendable {
    package var items: [RecordingView]
    /// The last one's id, with which the next page is asked for; nil: there is none.
    package var next: RecordingID?

    package init(items: [RecordingView], next: RecordingID?) {
        self.items = items
        self.next = next
    }
}

/// `POST /recordings/{id}/links`: where its files are read, by whoever has the addresses, for a while.
package struct RecordingLinks: Codable, Sendable, Hashable {
    package var items: [Link]
    package var expiresAt: String

    package struct Link: Codable, Sendable, Hashable {
        package var number: Int
        /// Whole, or from the server's own origin on.
        package var url: String
        /// How the file is called.
        package var name: String

        package init(number: Int, url: String, name: String) {
            self.number = number
            self.url = url
            self.name = name
        }
    }

    package init(items: [Link], expiresAt: String) {
        self.items = items
        self.expiresAt = expiresAt
    }
}
