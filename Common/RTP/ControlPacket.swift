/// One RTCP packet of a compound. Source: RFC 3550 section 6, RFC 4585 section 6, RFC 5104 section 4.3.1.
package enum ControlPacket: Hashable, Sendable {
    case senderReport(SenderReport)
    case receiverReport(ReceiverReport)
    /// SDES: the canonical name of each source that has one; other items are passed over.
    case names([SourceName])
    case goodbye(sources: [UInt32])
    case nack(LostPackets)
    /// A picture was lost (PLI): the source `media` shall send a key frame.
    case pictureLoss(sender: UInt32, media: UInt32)
    /// Full intra requests (FIR).
    case fullIntra(sender: UInt32, requests: [FullIntraRequest])
    case bandwidth(BandwidthEstimate)
    case transport(TransportFeedback)
    /// Of a type or a format that we do not use: passed over.
    case other(type: UInt8, format: UInt8)
}

/// A time of the NTP: seconds since 1900 in 32.32 bits. A sender may start it where it likes: receivers compare its values alone.
package struct NTPTime: Hashable, Sendable {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    /// - Parameter microseconds: since the clock's start, 0 or more; counts of seconds wrap at 2^32.
    package init(microseconds: Int64) {
        let (seconds, rest) = UInt64(max(0, microseconds)).quotientAndRemainder(dividingBy: 1_000_000)
        value = seconds << 32 | (rest << 32) / 1_000_000
    }

    /// Microseconds since the clock's start, rounded.
    package var microseconds: Int64 {
        Int64(value >> 32) * 1_000_000 + Int64(((value & 0xffff_ffff) * 1_000_000 + 1 << 31) >> 32)
    }

    /// The middle 32 bits, 16.16 s, as report blocks repeat them.
    package var middle: UInt32 { UInt32(truncatingIfNeeded: value >> 16) }
}

/// Source: RFC 3550 section 6.4.1.
package struct SenderReport: Hashable, Sendable {
    package var source: UInt32
    /// When the report was made, by the sender's clock.
    package var time: NTPTime
    /// The same moment in the stream's clock.
    package var timestamp: UInt32
    package var packets: UInt32
    /// Of payload.
    package var bytes: UInt32
    /// At most 31.
    package var blocks: [ReportBlock]

    package init(source: UInt32, time: NTPTime, timestamp: UInt32, packets: UInt32, bytes: UInt32, blocks: [ReportBlock] = []) {
        self.source = source
        self.time = time
        self.timestamp = timestamp
        self.packets = packets
        self.bytes = bytes
        self.blocks = blocks
    }
}

/// Source: RFC 3550 section 6.4.2.
package struct ReceiverReport: Hashable, Sendable {
    package var source: UInt32
    /// At most 31.
    package var blocks: [ReportBlock]

    package init(source: UInt32, blocks: [ReportBlock] = []) {
        self.source = source
        self.blocks = blocks
    }
}

/// How one source is received. Source: RFC 3550 section 6.4.1.
package struct ReportBlock: Hashable, Sendable {
    package var source: UInt32
    /// Lost since the last report, in 256ths.
    package var fractionLost: UInt8
    /// Lost in all, 24 bits: -8,388,608...8,388,607; duplicates make it negative.
    package var lost: Int32
    /// The highest number received, with the count of its wraps in the upper half.
    package var highest: UInt32
    /// In units of the stream's clock.
    package var jitter: UInt32
    /// `NTPTime.middle` of the last sender report, 0 without one.
    package var lastReport: UInt32
    /// How long ago it came, in 65,536ths of a second.
    package var delay: UInt32

    package static let lostRange: ClosedRange<Int32> = -0x80_0000...0x7f_ffff

    package init(
        source: UInt32, fractionLost: UInt8, lost: Int32, highest: UInt32, jitter: UInt32, lastReport: UInt32 = 0, delay: UInt32 = 0
    ) {
        self.source = source
        self.fractionLost = fractionLost
        self.lost = min(max(lost, Self.lostRange.lowerBound), Self.lostRange.upperBound)
        self.highest = highest
        self.jitter = jitter
        self.lastReport = lastReport
        self.delay = delay
    }
}

/// A source's canonical name, which is the same for all sources of one clock. Source: RFC 3550 section 6.5.1.
package struct SourceName: Hashable, Sendable {
    package var source: UInt32
    /// At most 255 bytes.
    package var name: String

    package init(source: UInt32, name: String) {
        self.source = source
        self.name = name
    }
}

/// Packets that a receiver misses (generic NACK). Source: RFC 4585 section 6.2.1.
package struct LostPackets: Hashable, Sendable {
    /// A number, and a bit for each of the sixteen behind it, the lowest for the next.
    package struct Group: Hashable, Sendable {
        package var first: UInt16
        package var following: UInt16

        package init(first: UInt16, following: UInt16 = 0) {
            self.first = first
            self.following = following
        }
    }

    package var sender: UInt32
    package var media: UInt32
    /// At least one.
    package var groups: [Group]

    package init(sender: UInt32, media: UInt32, groups: [Group]) {
        self.sender = sender
        self.media = media
        self.groups = groups
    }

    /// Packs numbers, which are in the order of the stream, into as few groups as that order allows.
    package init(sender: UInt32, media: UInt32, sequences: some Sequence<UInt16>) {
        var groups: [Group] = []
        for sequence in sequences {
            if let last = groups.last {
                let distance = sequence &- last.first
                if distance == 0 { continue }
                if distance <= 16 {
                    groups[groups.count - 1].following |= 1 << (distance - 1)
                    continue
                }
            }
            groups.append(Group(first: sequence))
        }
        self.init(sender: sender, media: media, groups: groups)
    }

    /// Calls `body` with each number, at most 17 for a group; allocates nothing.
    package func forEach(_ body: (UInt16) -> Void) {
        for group in groups {
            body(group.first)
            var bits = group.following
            while bits != 0 {
                body(group.first &+ 1 &+ UInt16(bits.trailingZeroBitCount))
                bits &= bits - 1
            }
        }
    }

    package var sequences: [UInt16] {
        var list: [UInt16] = []
        forEach { list.append($0) }
        return list
    }
}

/// Source: RFC 5104 section 4.3.1.1.
package struct FullIntraRequest: Hashable, Sendable {
    package var media: UInt32
    /// One more for each new request; the same in one that is repeated.
    package var number: UInt8

    package init(media: UInt32, number: UInt8) {
        self.media = media
        self.number = number
    }
}

/// What the receiver takes for the bandwidth of its way (REMB). Source: draft-alvestrand-rmcat-remb-03 section 2.2.
package struct BandwidthEstimate: Hashable, Sendable {
    package var sender: UInt32
    /// In bits a second; written with 18 significant bits, rounded down.
    package var bitsPerSecond: UInt64
    /// The sources that share it, at most 255.
    package var sources: [UInt32]

    package init(sender: UInt32, bitsPerSecond: UInt64, sources: [UInt32]) {
        self.sender = sender
        self.bitsPerSecond = bitsPerSecond
        self.sources = sources
    }
}

/// The numbers that name packets on the wire.
enum ControlType {
    static let senderReport: UInt8 = 200
    static let receiverReport: UInt8 = 201
    static let description: UInt8 = 202
    static let goodbye: UInt8 = 203
    static let transportFeedback: UInt8 = 205
    static let payloadFeedback: UInt8 = 206
    /// Formats of 205.
    static let nack: UInt8 = 1
    static let transportWide: UInt8 = 15
    /// Formats of 206.
    static let pictureLoss: UInt8 = 1
    static let fullIntra: UInt8 = 4
    static let application: UInt8 = 15
    /// "REMB".
    static let bandwidthName: UInt32 = 0x5245_4d42
}
