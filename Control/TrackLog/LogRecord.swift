package import BondWire
package import RTP

/// An entry of the log of one track: what came, in the order in which it came.
package enum LogRecord: Hashable, Sendable {
    /// The first of each file, and again every ten seconds: whose track it is.
    case head(TrackHead)
    case packet(LoggedPacket)
    case report(LoggedReport)
    case event(LoggedEvent)

    /// When it was written down, by the writer's clock.
    package var at: Microseconds {
        switch self {
        case .head(let head): head.at
        case .packet(let packet): packet.at
        case .report(let report): report.at
        case .event(let event): event.at
        }
    }
}

/// A packet that a subscriber of the track would have got, under its publisher's own numbers: nothing is interpreted before it is written.
package struct LoggedPacket: Hashable, Sendable {
    /// Arrival.
    package var at: Microseconds
    /// Of the track's layers, in the order in which its publisher names them.
    package var layer: UInt8
    package var fields: RTPFields
    /// Without header extensions and padding.
    package var payload: [UInt8]

    package init(at: Microseconds, layer: UInt8, fields: RTPFields, payload: [UInt8]) {
        self.at = at
        self.layer = layer
        self.fields = fields
        self.payload = payload
    }
}

/// What a sender report said of a source: the same moment by its publisher's wall clock and by its timestamps (RFC 3550 section 6.4.1).
package struct LoggedReport: Hashable, Sendable {
    /// Arrival.
    package var at: Microseconds
    package var source: UInt32
    package var time: NTPTime
    package var timestamp: UInt32

    package init(at: Microseconds, source: UInt32, time: NTPTime, timestamp: UInt32) {
        self.at = at
        self.source = source
        self.time = time
        self.timestamp = timestamp
    }
}

/// Why there may be nothing behind it.
package struct LoggedEvent: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// The track goes on to nobody: it is muted by whoever may.
        case held = 1
        case released = 2
        /// The track is no more: nothing comes behind it in this file.
        case ended = 3
        /// The disk, or the room for what waits for it, did not take `count` entries.
        case lost = 4
    }

    package var at: Microseconds
    package var kind: Kind
    /// Of `lost`, otherwise 0.
    package var count: UInt32

    package init(at: Microseconds, kind: Kind, count: UInt32 = 0) {
        self.at = at
        self.kind = kind
        self.count = count
    }
}
