package import Units

/// Asks an agent to upload over one link, so that control can measure what it carries.
package struct SpeedTestOrder: Codable, Sendable, Hashable {
    /// The only one that is used.
    package var link: String
    /// Lets the upload in, once.
    package var ticket: SecretOnWire
    /// Both bound it, whichever is reached first.
    package var seconds: Int
    package var bytes: Int

    package init(link: String, ticket: SecretOnWire, seconds: Int, bytes: Int) {
        self.link = link
        self.ticket = ticket
        self.seconds = seconds
        self.bytes = bytes
    }
}

/// The first message of an upload, after the proof.
package struct SpeedTestHello: Codable, Sendable {
    package var ticket: SecretOnWire
    package init(ticket: SecretOnWire) { self.ticket = ticket }
}

/// Control's answer: from now on binary messages are counted and thrown away, until it closes with 1000.
package struct SpeedTestGo: Codable, Sendable, Hashable {
    package var seconds: Int
    package var bytes: Int

    package init(seconds: Int, bytes: Int) {
        self.seconds = seconds
        self.bytes = bytes
    }
}

/// `POST /senders/{id}/speed-test`.
package struct SpeedTestRequest: Codable, Sendable {
    /// The link's name, as the sender's inventory has it.
    package var link: String
    package init(link: String) { self.link = link }
}

/// The last speed test of a link.
package struct SpeedTestView: Codable, Sendable, Hashable {
    package var link: String
    /// When it ended, by control's clock.
    package var at: String
    /// What arrived, without what carries it, after the first second; nil where there is a reason.
    package var upload: Bitrate?
    /// Before the upload.
    package var rttMs: Double?
    /// Why there is no result.
    package var reason: String?

    package init(link: String, at: String, upload: Bitrate? = nil, rttMs: Double? = nil, reason: String? = nil) {
        self.link = link
        self.at = at
        self.upload = upload
        self.rttMs = rttMs
        self.reason = reason
    }
}
