package import BondWire

/// Which layer of each track one subscriber gets: what its link carries, what its page shows, and who matters most.
///
/// All that is seen gets its lowest layer first, in the order of priority; then whoever matters most gets better, equals in turn. Down is
/// at once; up is after a while in which there was room to spare, so that a rate that sways does not sway the pictures.
package struct LayerChoice: Sendable {
    /// One way to send a track.
    package struct Offer: Hashable, Sendable {
        package var target: LayerTarget
        /// Bits per second, as measured, with headers.
        package var bitrate: Int64
        /// Lines of its picture; 0 where that is not known.
        package var height: Int

        package init(_ target: LayerTarget, bitrate: Int64, height: Int) {
            self.target = target
            self.bitrate = bitrate
            self.height = height
        }
    }

    package struct Track: Hashable, Sendable {
        package var id: UInt32
        /// What the publisher sends now, the cheapest first.
        package var offers: [Offer]
        /// Lines that the page has for it; 0 where it is not seen.
        package var viewport: Int
        /// The highest is served first: a shared screen or whoever is on stage, before the tiles.
        package var priority: Int

        package init(id: UInt32, offers: [Offer], viewport: Int, priority: Int = 0) {
            self.id = id
            self.offers = offers
            self.viewport = viewport
            self.priority = priority
        }
    }

    package enum Choice: Hashable, Sendable {
        case target(LayerTarget)
        case unseen
        /// The link does not carry its lowest layer.
        case noRoom
        /// The publisher sends nothing of it.
        case noSource
    }

    /// There has been room for more for so long; and after the link was too narrow.
    package static let patience: Microseconds = 2_000_000
    package static let patienceAfterFall: Microseconds = 5_000_000
    private static let fallMemory: Microseconds = 15_000_000
    /// Of the bitrate, in percent, that more may take.
    private static let share: Int64 = 90

    private struct State {
        var target: LayerTarget?
        var viewport: Int
        var roomSince: Microseconds?
    }

    private var states: [UInt32: State] = [:]
    private var fell: Microseconds?

    package init() {}

    /// - Parameters:
    ///   - tracks: all that the subscriber may see; each id once.
    ///   - bitrate: bits per second for them together.
    ///   - sustained: the same without what the link is given less of for a moment: there is room for more by this one. nil: no other.
    /// - Returns: for each track in its order.
    package mutating func choose(_ tracks: [Track], bitrate: Int64, sustained: Int64? = nil, at now: Microseconds) -> [Choice] {
        let order = tracks.indices.sorted { Self.goesBefore(tracks[$0], tracks[$1]) }
        let ceilings = tracks.map(Self.ceiling)
        let most = Self.allocate(tracks, order, ceilings, bitrate)
        let spare = Self.allocate(tracks, order, ceilings, (sustained ?? bitrate) / 100 * Self.share)
        let hasFallen = fell.map { now - $0 < Self.fallMemory } ?? false
        var next: [UInt32: State] = [:]
        var chosen = [Int](repeating: -1, count: tracks.count)
        for (index, track) in tracks.enumerated() where ceilings[index] >= 0 {
            var state = states[track.id] ?? State(viewport: 0)
            let room = min(spare[index], most[index])
            chosen[index] = Self.decide(track, &state, most: most[index], spare: room, hasFallen: hasFallen, at: now)
            state.viewport = track.viewport
            next[track.id] = state
        }
        Self.fit(tracks, order, &chosen, bitrate)
        let falls = tracks.indices.contains { index in
            let offers = tracks[index].offers
            guard let at = next[tracks[index].id]?.target.flatMap({ Self.index(of: $0, in: offers) }) else { return false }
            return chosen[index] < min(at, ceilings[index])
        }
        if falls { fell = now }
        for (index, track) in tracks.enumerated() {
            next[track.id]?.target = chosen[index] >= 0 ? track.offers[chosen[index]].target : nil
        }
        states = next
        return tracks.indices.map { Self.answer(tracks[$0], chosen[$0]) }
    }

    private static func answer(_ track: Track, _ chosen: Int) -> Choice {
        if track.viewport <= 0 { return .unseen }
        if track.offers.isEmpty { return .noSource }
        return chosen >= 0 ? .target(track.offers[chosen].target) : .noRoom
    }

    /// The index of what the track gets from now on; -1 for nothing.
    private static func decide(
        _ track: Track, _ state: inout State, most: Int, spare: Int, hasFallen: Bool, at now: Microseconds
    ) -> Int {
        // Of what was not seen until now, or is shown larger, nobody waits for a better picture.
        guard state.viewport > 0, track.viewport <= state.viewport else {
            state.roomSince = nil
            return most
        }
        let current = state.target.flatMap { index(of: $0, in: track.offers) } ?? -1
        guard current <= most else {
            state.roomSince = nil
            return most
        }
        guard spare > current else {
            state.roomSince = nil
            return current
        }
        let since = state.roomSince ?? now
        state.roomSince = since
        // Where nothing is shown, nobody is spared a change.
        let patience = hasFallen ? Self.patienceAfterFall : current < 0 ? 0 : Self.patience
        guard now - since >= patience else { return current }
        state.roomSince = nil
        return spare
    }

    /// Where the publisher has ceased to send a layer, the best beneath it, or else the least there is.
    private static func index(of target: LayerTarget, in offers: [Offer]) -> Int? {
        if let exact = offers.firstIndex(where: { $0.target == target }) { return exact }
        let beneath = offers.lastIndex { offer in
            (offer.target.layer, offer.target.spatial, offer.target.temporal) < (target.layer, target.spatial, target.temporal)
        }
        return beneath ?? offers.indices.first
    }

    private static func goesBefore(_ left: Track, _ right: Track) -> Bool {
        if left.priority != right.priority { return left.priority > right.priority }
        if left.viewport != right.viewport { return left.viewport > right.viewport }
        return left.id < right.id
    }

    /// The best offer that is not larger than the page needs: the smallest of those that fill its place. -1 for what is not seen.
    private static func ceiling(_ track: Track) -> Int {
        guard track.viewport > 0 else { return -1 }
        let filling = track.offers.lazy.map(\.height).filter { $0 >= track.viewport }.min()
        return track.offers.lastIndex { $0.height <= filling ?? .max } ?? -1
    }

    /// - Returns: for each track the index of an offer, or -1.
    private static func allocate(_ tracks: [Track], _ order: [Int], _ ceilings: [Int], _ bitrate: Int64) -> [Int] {
        var chosen = [Int](repeating: -1, count: tracks.count)
        var left = bitrate
        for index in order where ceilings[index] >= 0 {
            let cost = tracks[index].offers[0].bitrate
            guard cost <= left else { continue }
            chosen[index] = 0
            left -= cost
        }
        var start = 0
        while start < order.count {
            // Those of one priority, one step each in turn, until nobody gets further.
            let priority = tracks[order[start]].priority
            let end = order[start...].firstIndex { tracks[$0].priority != priority } ?? order.count
            var moved = true
            while moved {
                moved = false
                for index in order[start..<end] where chosen[index] >= 0 && chosen[index] < ceilings[index] {
                    let offers = tracks[index].offers
                    let cost = offers[chosen[index] + 1].bitrate - offers[chosen[index]].bitrate
                    guard cost <= left else { continue }
                    chosen[index] += 1
                    left -= cost
                    moved = true
                }
            }
            start = end
        }
        return chosen
    }

    /// What stayed and what rose may be too much together: then the least important goes down first.
    private static func fit(_ tracks: [Track], _ order: [Int], _ chosen: inout [Int], _ bitrate: Int64) {
        var total: Int64 = 0
        for index in order where chosen[index] >= 0 { total += tracks[index].offers[chosen[index]].bitrate }
        for index in order.reversed() {
            while total > bitrate, chosen[index] > 0 {
                total -= tracks[index].offers[chosen[index]].bitrate - tracks[index].offers[chosen[index] - 1].bitrate
                chosen[index] -= 1
            }
        }
        for index in order.reversed() where total > bitrate && chosen[index] == 0 {
            total -= tracks[index].offers[0].bitrate
            chosen[index] = -1
        }
    }
}
