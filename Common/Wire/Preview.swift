package import Units

/// Asks a pool host for a stream's live preview, over a connection of its own.
package struct PreviewOrder: Codable, Sendable, Hashable {
    package var lease: LeaseID
    /// Lets the connection in, once.
    package var ticket: SecretOnWire

    package init(lease: LeaseID, ticket: SecretOnWire) {
        self.lease = lease
        self.ticket = ticket
    }
}

/// The first message of a preview's connection, after the proof; from then on each binary message is a `PreviewChunk`.
package struct PreviewHello: Codable, Sendable {
    package var ticket: SecretOnWire
    package init(ticket: SecretOnWire) { self.ticket = ticket }
}

/// A piece of a live preview, from the receiver that makes it to the browser that shows it. Between them nobody looks into it, but for the
/// times of fragments where a player outside wants a playlist of them.
///
/// On the wire its first byte is its kind, and the rest its body. The clock of fragments has 90 kHz.
package struct PreviewChunk: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// What the fragments after it are: one byte that counts the characters of a codec list (RFC 6381), those, and an init segment.
        case beginning = 1
        /// A fragment with whose first picture a decoder can begin.
        case key = 2
        /// A fragment that goes on from the one before.
        case more = 3
    }

    /// The tracks of a fragment.
    package static let pictureTrack = 1
    package static let soundTrack = 2

    package let kind: Kind
    /// With the kind in front.
    package let bytes: [UInt8]

    /// - Parameter body: no longer than `WireLimits.previewBytes`, its maker's to hold.
    package init(_ kind: Kind, _ body: [UInt8]) {
        self.kind = kind
        bytes = [kind.rawValue] + body
    }

    /// - Returns: nil for what is none, or too large to be passed on.
    package init?(message: [UInt8]) {
        guard let kind = message.first.flatMap(Kind.init(rawValue:)), (2...WireLimits.previewBytes + 1).contains(message.count) else {
            return nil
        }
        self.kind = kind
        bytes = message
    }

    /// As it lies in a stream of bytes: its length, four bytes with the highest first, and it.
    package var framed: [UInt8] {
        let count = bytes.count
        return [UInt8(truncatingIfNeeded: count >> 24), UInt8(truncatingIfNeeded: count >> 16), UInt8(truncatingIfNeeded: count >> 8)]
            + [UInt8(truncatingIfNeeded: count)] + bytes
    }
}

/// Cuts a stream of bytes into chunks. Holds less than one of them.
package struct PreviewFramer: Sendable {
    /// What came is no stream of chunks.
    package struct Malformed: Error, Equatable {}

    private var rest: [UInt8] = []

    package init() {}

    package mutating func feed(_ bytes: some Collection<UInt8>, _ take: (PreviewChunk) -> Void) throws(Malformed) {
        rest += bytes
        var position = 0
        while rest.count - position >= 4 {
            let count = rest[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard (2...WireLimits.previewBytes + 1).contains(count) else { throw Malformed() }
            guard rest.count - position - 4 >= count else { break }
            guard let chunk = PreviewChunk(message: Array(rest[position + 4..<position + 4 + count])) else { throw Malformed() }
            take(chunk)
            position += 4 + count
        }
        if position > 0 { rest.removeFirst(position) }
    }
}

/// What of a preview goes to somebody who may be slow: what does not fit is lost, and all up to the next key with it, so that nothing waits
/// and a decoder never misses what it needs. Holds no queue and no clock.
package struct PreviewGate: Sendable {
    /// Not given yet.
    private var beginning: PreviewChunk?
    private var hasBegun = false
    private var isOpen = false
    /// Chunks that were lost to whoever is behind it, what came before the first key not among them.
    package private(set) var lost = 0

    /// - Parameter beginning: of the preview that is under way already.
    package init(beginning: PreviewChunk? = nil) { self.beginning = beginning }

    /// - Parameter give: whether there was room for a chunk; called for it, and for a beginning that was not given before.
    package mutating func take(_ chunk: PreviewChunk, _ give: (PreviewChunk) -> Bool) {
        switch chunk.kind {
        case .beginning: (beginning, isOpen) = (chunk, false)
        case .key:
            isOpen = false
            if let waiting = beginning {
                guard give(waiting) else { return lose() }
                (beginning, hasBegun) = (nil, true)
            }
            guard hasBegun else { return }
            isOpen = give(chunk)
            if !isOpen { lose() }
        case .more:
            if isOpen { isOpen = give(chunk) }
            if !isOpen, hasBegun { lose() }
        }
    }

    private mutating func lose() { lost += 1 }
}
