package import BondWire

/// What the encoder should make.
package struct EncoderRate: Hashable, Sendable {
    /// Of media payload: what is inside the RTP packets.
    package var bitsPerSecond: Int

    package init(bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }
}

/// A link as the scheduler sees it, and what it has done since it is up.
package struct LinkFigures: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// Up, and not heard of yet.
        case fresh
        case live
        /// Silent: it carries nothing but probes.
        case suspect
        /// Live, and too slow for this latency.
        case late
    }

    package var link: LinkNumber
    package var state: State
    package var cost: LinkTraits.Cost
    /// Least round trip of the last 8-16 s; of the handshake until one is measured. Microseconds.
    package var roundTrip: Microseconds
    /// What was given to it and would leave it later than now, as predicted. Microseconds.
    package var queue: Microseconds
    /// Of wire bytes.
    package var estimateBitsPerSecond: Int
    package var bytesOut: Int
    /// 0...1, of the last few hundred packets.
    package var loss: Double
    /// Packets of media in all, then how many of them for which reason; probes are in none.
    package var sent = 0
    package var repairs = 0
    package var doubles = 0
    /// Datagrams of any kind.
    package var arrived = 0
    package var lost = 0
    package var sentBytes = 0
    package var arrivedBytes = 0
    /// How often its way became longer.
    package var longerWays = 0
}

/// The flow as the scheduler sees it.
package struct BondFigures: Hashable, Sendable {
    package var rate: EncoderRate
    /// Of wire bytes, all usable links together.
    package var capacityBitsPerSecond: Int
    package var queuedPackets: Int
    /// Of the oldest packet that waits. Microseconds.
    package var queueAge: Microseconds
    package var offered = 0
    package var confirmed = 0
    /// Given up before their time was over, since no link could have brought them in time.
    package var dropped = 0
    /// Their time was over, and no report had them.
    package var unconfirmed = 0
    package var repeats = 0
    package var doubles = 0
    /// Feedback that was not believed, or not new.
    package var staleReports = 0
    package var refusedReports = 0
    package var refusedArrivals = 0
    /// Packets that one message asked for beyond what is looked at.
    package var refusedRequests = 0
}

/// What happened, for the flight recorder.
package struct BondEvent: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case up(LinkNumber)
        case down(LinkNumber)
        /// Nothing came over it for this long, in microseconds of the receiver's clock.
        case muted(LinkNumber, silence: Microseconds)
        case returned(LinkNumber)
        /// No report for this long, in microseconds.
        case unheard(Microseconds)
        case heard
        /// Bits per second. The encoder's rate fell by a third or more within half a second.
        case rateCut(from: Int, to: Int)
        /// The receiver's clock is another one.
        case clockChanged
    }

    /// In the sender's clock.
    package var at: Microseconds
    package var kind: Kind
}
