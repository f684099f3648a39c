package import BondWire

/// What the spatial and temporal layers within one source cost, as its packets are counted, and so in which ways it can be sent.
package struct LayerRates: Sendable {
    /// Of one kind; those above count as the highest. Encoders have three.
    private static let limit = 4
    /// So long that a key frame, as large as many pictures, does not make the source seem another one.
    private static let span: Microseconds = 3_000_000

    /// Of each spatial and each temporal layer within it; of sound one.
    private var rates: [RateWindow]

    package init(_ codec: Codec) {
        rates = [RateWindow](repeating: RateWindow(span: Self.span), count: codec.isVideo ? Self.limit * Self.limit : 1)
    }

    /// Counts a packet, once however often it came.
    /// - Parameter bytes: with all that it costs where it is sent on.
    package mutating func count(_ bytes: Int, _ mark: PictureMark, at now: Microseconds) {
        let (spatial, temporal) = (min(Int(mark.spatial), Self.limit - 1), min(Int(mark.temporal), Self.limit - 1))
        rates[rates.count > 1 ? spatial * Self.limit + temporal : 0].add(bytes, at: now)
    }

    /// Bits per second of all of it.
    package mutating func bitrate(at now: Microseconds) -> Int64 {
        var sum: Int64 = 0
        for place in rates.indices { sum += rates[place].bitrate(at: now) }
        return sum
    }

    /// The ways to send it, the least first, each with all that it needs. The best of each kind has no bound, so that it stays the same
    /// while more layers come and go.
    ///
    /// - Parameters:
    ///   - layer: its place in the track.
    ///   - isLeast: nothing cheaper is sent of the track: then few pictures are better than none. Of others half of the pictures is the
    ///     least, since what is beneath has all.
    package mutating func offers(of layer: UInt8, isLeast: Bool, at now: Microseconds) -> [LayerChoice.Offer] {
        var bits: [Int64] = []
        for place in rates.indices { bits.append(rates[place].bitrate(at: now)) }
        let sent = bits.indices.filter { bits[$0] > 0 }
        let spatial = sent.map { $0 / Self.limit }.max() ?? 0
        let temporal = sent.map { $0 % Self.limit }.max() ?? 0
        var offers: [LayerChoice.Offer] = []
        for place in sent {
            let (row, column) = (place / Self.limit, place % Self.limit)
            guard column >= temporal - 1 || isLeast && row == 0 else { continue }
            let target = LayerTarget(
                layer: layer, spatial: row == spatial ? .max : UInt8(row), temporal: column == temporal ? .max : UInt8(column))
            let parts = sent.filter { $0 / Self.limit <= row && $0 % Self.limit <= column }
            offers.append(LayerChoice.Offer(target, bitrate: parts.reduce(0) { $0 + bits[$1] }, height: 0))
        }
        return offers.isEmpty ? [LayerChoice.Offer(LayerTarget(layer: layer), bitrate: 0, height: 0)] : offers
    }
}

extension LayerChoice.Offer {
    /// All ways to send a track.
    /// - Parameter layers: of each of its sources those that there are, the cheapest source first.
    package static func ladder(_ layers: [[LayerChoice.Offer]]) -> [LayerChoice.Offer] {
        var ladder: [LayerChoice.Offer] = []
        for var offer in layers.joined() {
            // What is better never costs less: then it is taken in place of what is beneath.
            offer.bitrate = max(offer.bitrate, ladder.last?.bitrate ?? 0)
            ladder.append(offer)
        }
        return ladder
    }
}
