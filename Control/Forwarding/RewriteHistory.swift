/// Packets of one layer, one after the other, that were renumbered by the same differences.
struct RewriteSegment: Hashable, Sendable {
    var layer: UInt8
    /// What the subscriber got of it: whatever is above is none of its numbers' packets.
    var spatial: UInt8
    var temporal: UInt8
    /// The source's number of the first, and its number towards the subscriber.
    var source: Int64
    var outgoing: Int64
    /// The source's number of the last; the largest there is while it goes on.
    var last = Int64.max
    /// To be taken off the source's.
    var timestampOffset: UInt32 = 0
    /// What its timestamps are beyond what the clocks say, in ticks.
    var shift: Int64 = 0
    /// Of one that began in the past, as long as that lasts.
    var catchUp: CatchUp?
    var numberOffset: UInt16 = 0
    var baseOffset: UInt8 = 0
    var keyIndexOffset: UInt8 = 0
    /// The picture number with which the next layer began: what was lost of this one cannot have it any more.
    var pictureEnd: UInt16?

    func number(_ source: Int64) -> Int64 { outgoing + (source - self.source) }

    /// How much later than on the line of what comes now a packet lies, in ticks.
    func lead(_ packet: SourcePacket) -> Int64 {
        guard let catchUp, packet.number <= catchUp.last else { return 0 }
        return catchUp.lead(packet.timestamp)
    }

    func timestamp(_ packet: SourcePacket) -> UInt32 {
        packet.timestamp &- timestampOffset &+ UInt32(truncatingIfNeeded: lead(packet))
    }

    func holds(_ layer: UInt8, _ number: Int64) -> Bool { self.layer == layer && number >= source && number <= last }
}

/// The segments before the one that goes on, as many as late packets and requests for repeats can mean.
///
/// Where every second picture is left out a segment is a picture: 48 of them are over 3 s of 30 pictures a second.
struct RewriteHistory: Sendable {
    static let limit = 48

    private var segments: [RewriteSegment] = []
    private var oldest = 0

    mutating func append(_ segment: RewriteSegment) {
        guard segments.count == Self.limit else {
            // Grows in steps: most subscribers get all of what there is, and need none.
            segments.append(segment)
            return
        }
        segments[oldest] = segment
        oldest = (oldest + 1) % Self.limit
    }

    mutating func forget(_ layers: Range<UInt8>) {
        let inOrder = segments[oldest...] + segments[..<oldest]
        segments = inOrder.filter { !layers.contains($0.layer) }
        oldest = 0
    }

    func segment(_ layer: UInt8, _ number: Int64) -> RewriteSegment? {
        for segment in segments where segment.holds(layer, number) { return segment }
        return nil
    }

    /// Whether this packet, or a later one of its source, was looked at before: its numbers would be another packet's.
    func reaches(_ layer: UInt8, _ number: Int64) -> Bool {
        for segment in segments where segment.layer == layer && segment.last >= number { return true }
        return false
    }

    /// Numbers from here on are another layer's now: what was kept for lost packets behind the last that was sent, nobody has missed.
    mutating func free(from outgoing: Int64, picture: UInt16?) {
        for index in segments.indices where segments[index].pictureEnd == nil { segments[index].pictureEnd = picture }
        for index in segments.indices where segments[index].number(segments[index].last) >= outgoing {
            segments[index].last = segments[index].source + (outgoing - segments[index].outgoing) - 1
        }
    }

    func segment(outgoing: Int64) -> RewriteSegment? {
        for segment in segments where outgoing >= segment.outgoing && outgoing <= segment.number(segment.last) { return segment }
        return nil
    }
}

/// Which of the newest numbers were used: each is used once, whatever comes. With AES-GCM a number that is used for two packets would
/// give away both and the key's authentication as well. Source: RFC 7714, 8.1 and 10.
struct UsedNumbers: Sendable {
    /// A number this far behind the newest counts as used.
    static let size: Int64 = 1024

    private var newest: Int64 = -1
    private var words = InlineArray<16, UInt64>(repeating: 0)

    func isFree(_ number: Int64) -> Bool {
        guard number <= newest else { return true }
        return newest - number < Self.size && words[word(number)] & bit(number) == 0
    }

    mutating func insert(_ number: Int64) {
        if newest >= 0, number - newest < Self.size {
            var skipped = newest + 1
            while skipped < number {
                words[word(skipped)] &= ~bit(skipped)
                skipped += 1
            }
        } else if number > newest {
            words = InlineArray(repeating: 0)
        }
        words[word(number)] |= bit(number)
        newest = max(newest, number)
    }

    private func word(_ number: Int64) -> Int { Int(number >> 6 & 15) }
    private func bit(_ number: Int64) -> UInt64 { 1 << UInt64(number & 63) }
}
