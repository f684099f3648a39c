import BondWire
import RTP

@testable import Forwarding

/// A publisher of one picture in three sizes, VP8 with three temporal layers: what it sends, and when that arrives over a hop that loses and
/// reorders. What was lost arrives later, as whoever asks for it gets it.
struct SimulcastSource {
    struct Packet {
        var layer: UInt8
        var sequence: UInt16
        var timestamp: UInt32
        var marker: Bool
        var mark: PictureMark
        /// When the picture was taken, in pictures; one number for all layers.
        var picture: Int
        var at: Microseconds
    }

    static let interval: Microseconds = 33_333
    /// Of each group of four pictures.
    static let temporal: [UInt8] = [0, 2, 1, 2]

    private struct Layer {
        var sequence: UInt16
        var timestamp: UInt32
        var picture: UInt16
        var base: UInt8
        var phase = 0
        var wantsKey = true
    }

    var dice: Dice
    /// Of a hundred packets, at each sending.
    let loss: Int
    /// Of the lost ones that nothing brings back.
    let lostForGood: Int
    private var layers: [Layer]
    private var taken = 0

    init(_ dice: Dice, loss: Int, lostForGood: Int = 0) {
        self.dice = dice
        self.loss = loss
        self.lostForGood = lostForGood
        // Near every wrap.
        layers = [
            Layer(sequence: 65_500, timestamp: .max - 100_000, picture: 32_700, base: 250),
            Layer(sequence: 100, timestamp: 12_345, picture: 1, base: 0),
            Layer(sequence: 32_760, timestamp: 1 << 31 - 50_000, picture: 16_000, base: 128),
        ]
    }

    mutating func askForKeyFrame(_ layer: UInt8) { layers[Int(layer)].wantsKey = true }

    /// A sender report of each layer: its timestamp and the wall clock at one time.
    func report(_ layer: Int, at picture: Int) -> (NTPTime, UInt32) {
        (Self.wallClock(picture), layers[layer].timestamp &+ Self.ticks(picture))
    }

    static func wallClock(_ picture: Int) -> NTPTime { NTPTime(3_900_000_000 << 32).adding(Microseconds(picture) * interval) }
    static func ticks(_ picture: Int) -> UInt32 { UInt32(truncatingIfNeeded: Int64(picture) * interval * 9 / 100) }

    /// One picture in all sizes.
    mutating func take(at now: Microseconds) -> [Packet] {
        var packets: [Packet] = []
        for index in layers.indices {
            let count = Int.random(in: 1...index + 2, using: &dice)
            // Smaller pictures are done sooner, mostly.
            let encoded = now + Microseconds.random(in: 1000...12_000, using: &dice)
            let isKey = layers[index].wantsKey
            if isKey {
                layers[index].phase = 0
                layers[index].wantsKey = false
            }
            let phase = layers[index].phase
            let temporal = Self.temporal[phase & 3]
            layers[index].phase += 1
            layers[index].picture = (layers[index].picture + 1) & 0x7fff
            if temporal == 0 { layers[index].base &+= 1 }
            for part in 0..<count {
                // The first pictures of the higher layers, and every other group's, need the lowest alone.
                let sync = temporal == 1 && phase & 7 == 2 || temporal == 2 && phase & 7 == 1
                let mark = PictureMark(
                    number: layers[index].picture, temporal: temporal, base: layers[index].base, starts: part == 0, isKey: isKey, sync: sync
                )
                let packet = Packet(
                    layer: UInt8(index), sequence: layers[index].sequence, timestamp: layers[index].timestamp &+ Self.ticks(taken),
                    marker: part == count - 1, mark: mark, picture: taken, at: 0)
                layers[index].sequence &+= 1
                if let at = arrival(encoded) {
                    packets.append(packet)
                    packets[packets.count - 1].at = at
                }
            }
        }
        taken += 1
        return packets
    }

    private mutating func arrival(_ sent: Microseconds) -> Microseconds? {
        var at = sent + 20_000 + Microseconds.random(in: 0...6000, using: &dice)
        while dice.hits(percent: loss) {
            if dice.hits(percent: lostForGood) { return nil }
            at += 45_000
        }
        return at
    }
}

/// What one subscriber gets of it, through the module's parts as a worker puts them together.
struct SimulcastWorker {
    struct Out {
        var number: Int64
        var rewritten: Rewritten?
        var packet: SourcePacket?
        var picture: Int
    }

    var rewriter = TrackRewriter(.vp8, firstSequence: 30_000, firstTimestamp: 77)
    var clocks = [SourceClock](repeating: SourceClock(rate: 90_000), count: 3)
    private(set) var switches = 0
    /// Numbers that went out more than once.
    private(set) var repeated = 0
    private(set) var out: [Int64: Out] = [:]
    private(set) var highest: Int64 = 30_000
    private(set) var lost: [UInt16] = []
    private var receptions = [Reception](repeating: Reception(rate: 90_000), count: 3)
    private var caches = [PacketCache](repeating: PacketCache(PacketCache.Limits(packets: 256, bytes: 4096, age: 2_000_000)), count: 3)
    private var pictures: [Int64: Int] = [:]
    private let lossDown: Int
    private var dice: Dice

    init(_ dice: Dice, lossDown: Int) {
        self.dice = dice
        self.lossDown = lossDown
    }

    private func key(_ layer: UInt8, _ number: Int64) -> Int64 { Int64(layer) << 40 | number }

    mutating func arrive(_ source: SimulcastSource.Packet, at now: Microseconds) {
        let layer = Int(source.layer)
        guard case .packet(let number) = receptions[layer].take(source.sequence, timestamp: source.timestamp, at: now) else { return }
        let packet = SourcePacket(
            layer: source.layer, number: number, timestamp: source.timestamp, marker: source.marker, mark: source.mark)
        caches[layer].store(packet, [UInt8(truncatingIfNeeded: number)].span, at: now)
        pictures[key(source.layer, number)] = source.picture
        let step = rewriter.take(packet, clocks: clocks, at: now)
        send(step, packet)
        guard case .begin = step, let newest = caches[layer].newestNumber, newest > number else { return }
        for next in number + 1...newest {
            guard let held = caches[layer].packet(next, at: now) else { continue }
            send(rewriter.take(held, clocks: clocks, at: now), held)
        }
    }

    private mutating func send(_ step: TrackRewriter.Step, _ packet: SourcePacket) {
        if case .begin = step { switches += 1 }
        let sequence: UInt16
        switch step {
        case .forward(let rewritten), .begin(let rewritten): sequence = rewritten.sequence
        case .blank(let blank, _): sequence = blank
        case .drop: return
        }
        let number = highest + Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
        highest = max(highest, number)
        if out[number] != nil { repeated += 1 }
        let picture = pictures[key(packet.layer, packet.number)] ?? -1
        out[number] = Out(number: number, rewritten: step.out, packet: packet, picture: picture)
        if step.out != nil, dice.hits(percent: lossDown) { lost.append(sequence) }
    }

    /// The subscriber asks for what it has lost.
    /// - Returns: how many of the answers are not what was sent.
    mutating func answer(at now: Microseconds) -> Int {
        var wrong = 0
        for sequence in lost {
            guard let origin = rewriter.origin(of: sequence), let packet = caches[Int(origin.layer)].packet(origin.number, at: now) else {
                wrong += 1
                continue
            }
            let number = highest + Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
            if out[number]?.packet != packet || out[number]?.rewritten != rewriter.repeated(packet) { wrong += 1 }
        }
        lost = []
        return wrong
    }

    /// Gives what went out up to a second ago, in order, and forgets it.
    mutating func settled(_ keep: Int64) -> [Out] {
        let settled = out.values.filter { $0.number <= highest - keep }.sorted { $0.number < $1.number }
        for entry in settled { out[entry.number] = nil }
        if pictures.count > 20_000 { pictures.removeAll() }
        return settled
    }
}

/// A decoder of what a subscriber gets: says what would have been seen as broken or frozen.
struct SimulcastDecoder {
    private(set) var faults: [String] = []
    private(set) var decoded = 0
    /// Between the times at which two pictures in a row were taken, in pictures.
    private(set) var longestGap = 0
    /// Of the timestamps against the times at which pictures were taken.
    private(set) var earliest = Int64.max
    private(set) var latest = Int64.min

    private var number: Int64?
    private var timestamp: UInt32?
    private var line: (timestamp: Int64, picture: Int)?
    private var current: (layer: UInt8, picture: Int, mark: PictureMark, out: Rewritten)?
    private var isComplete = true
    private var base: UInt8?
    private var pictureID: UInt16?
    private var sawPicture: Int?
    /// Pictures of which blanks came since the last one: nobody knew that they would be left out, so their ids may be missing.
    private var blanked = 0
    private var lastBlanked: Int?

    private mutating func fault(_ text: String, _ entry: SimulcastWorker.Out) {
        if faults.count < 10 { faults.append("\(entry.number), picture \(entry.picture): \(text)") }
    }

    mutating func take(_ entry: SimulcastWorker.Out) {
        if let number, entry.number != number + 1 { fault("\(entry.number - number - 1) numbers are missing", entry) }
        number = entry.number
        guard let out = entry.rewritten, let packet = entry.packet, let mark = packet.mark else {
            if lastBlanked != entry.picture { blanked += 1 }
            lastBlanked = entry.picture
            return
        }
        guard out.timestamp != timestamp else {
            if current?.layer != packet.layer || current?.picture != entry.picture { fault("two pictures with one timestamp", entry) }
            if out.marker { isComplete = true }
            return
        }
        begin(entry, out, packet, mark)
    }

    private mutating func begin(_ entry: SimulcastWorker.Out, _ out: Rewritten, _ packet: SourcePacket, _ mark: PictureMark) {
        if let timestamp, Ticks.difference(out.timestamp, timestamp) <= 0 { fault("the timestamp goes back", entry) }
        if !mark.startsPicture { fault("a picture without its beginning", entry) }
        if !isComplete, !mark.isKey { fault("a picture without its end", entry) }
        if let current, current.layer != packet.layer, !mark.isKey { fault("another layer without a key frame", entry) }
        if current == nil, !mark.isKey { fault("it begins without a key frame", entry) }
        if let pictureID {
            let missing = ((out.number ?? 0) &- pictureID &- 1) & 0x7fff
            if missing > UInt16(blanked) { fault("picture id \(pictureID), then \(out.number ?? 0)", entry) }
        }
        blanked = 0
        if let base, out.base != (mark.temporal == 0 ? base &+ 1 : base) { fault("TL0PICIDX \(base), then \(out.base ?? 0)", entry) }
        if let sawPicture {
            let gap = entry.picture - sawPicture
            if gap < -4 { fault("time goes back by \(-gap) pictures", entry) }
            longestGap = max(longestGap, gap)
        }
        measure(entry, out)
        sawPicture = entry.picture
        pictureID = out.number
        base = out.base
        timestamp = out.timestamp
        current = (packet.layer, entry.picture, mark, out)
        isComplete = out.marker
        decoded += 1
    }

    /// How far the line of timestamps is from that on which the pictures were taken.
    private mutating func measure(_ entry: SimulcastWorker.Out, _ out: Rewritten) {
        guard let line, let timestamp else {
            line = (Int64(out.timestamp), entry.picture)
            return
        }
        let unwrapped = line.timestamp + Ticks.difference(out.timestamp, timestamp)
        self.line = (unwrapped, line.picture)
        let taken = Int64(entry.picture - line.picture) * SimulcastSource.interval * 9 / 100
        earliest = min(earliest, unwrapped - 77 - taken)
        latest = max(latest, unwrapped - 77 - taken)
    }
}
