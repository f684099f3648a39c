package import BondWire

/// A packet of the flow, counted from the first; its low 16 bits are the RTP sequence number.
package struct PacketNumber: Hashable, Sendable, Comparable {
    package var value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package static func < (left: PacketNumber, right: PacketNumber) -> Bool { left.value < right.value }
}

/// How a packet is protected beyond repair.
package enum BondMode: String, Hashable, Sendable, CaseIterable {
    /// Everything once.
    case throughput
    /// What is `Importance.key` twice, on different links.
    case balanced
    /// Everything twice.
    case bulletproof
}

package enum Importance: Hashable, Sendable {
    case normal
    /// Key frames, program tables, sound.
    case key
}

package struct BondSettings: Hashable, Sendable {
    /// From source to output, path included.
    package var latency: Microseconds
    package var mode: BondMode
    /// The encoder's rate below which links of last resort are counted, in bits per second of payload.
    package var least: Int

    package init(latency: Microseconds, mode: BondMode = .throughput, least: Int = 500_000) {
        self.latency = latency
        self.mode = mode
        self.least = least
    }
}

/// What the sender knows of a link before it carried anything.
package struct LinkTraits: Hashable, Sendable {
    package enum Cost: Int, Hashable, Sendable, Comparable {
        case free, metered, lastResort

        package static func < (left: Cost, right: Cost) -> Bool { left.rawValue < right.rawValue }
    }

    /// The largest RTP packet that its proven path MTU carries, in bytes.
    package var packetLimit: Int
    /// What the wire adds to an RTP packet: envelope, UDP and IP.
    package var overhead: Int
    package var cost: Cost
    /// Of the round trip of its handshake; bounds the first estimate.
    package var roundTrip: Microseconds
    /// The most that may be sent over it, in bits per second of wire bytes; nil: what it carries.
    package var ceiling: Int?

    package init(packetLimit: Int, overhead: Int, cost: Cost = .free, roundTrip: Microseconds, ceiling: Int? = nil) {
        self.packetLimit = packetLimit
        self.overhead = overhead
        self.cost = cost
        self.roundTrip = roundTrip
        self.ceiling = ceiling
    }
}

/// What to send now, and over which link.
package struct Transmission: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        case first
        /// The link that carried it reported it lost.
        case repair
        /// The link that holds it is silent.
        case rescue
        /// The receiver asked for it.
        case request
        /// The second copy of a protected packet.
        case double
    }

    package enum Content: Hashable, Sendable {
        case media(PacketNumber, Reason)
        /// Nothing but a datagram of this many bytes, IP header included.
        case probe(bytes: Int)
    }

    package var link: LinkNumber
    package var content: Content

    package init(link: LinkNumber, content: Content) {
        self.link = link
        self.content = content
    }
}
