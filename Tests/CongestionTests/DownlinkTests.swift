import BondWire
import Forwarding
import RTP
import Testing

@testable import Congestion

private let ms: Microseconds = 1000
private let second: Microseconds = 1_000_000

/// xorshift64*, so that a run can be repeated.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}

/// A publisher with sound and four layers, our way down, a link with a queue, and a player that tells what came and asks for what did not;
/// in steps of a millisecond.
private struct Room {
    /// Bits per second with headers, the least first; thirty pictures a second.
    static let rungs: [Int64] = [80_000, 200_000, 500_000, 1_550_000]
    /// Of 20 ms, with headers: 40 kbit/s.
    static let soundBytes = 100
    static let pictureTime: Microseconds = 33_333
    /// Until a key frame comes that was asked for.
    static let keyWait = 150 * ms
    /// One way.
    static let delay = 100 * ms
    /// Of the link's queue, which drops what would wait longer.
    static let queueTime = 300 * ms

    private struct Frame {
        var isKey: Bool
        var missing: Int
    }

    private struct Flight {
        var number: UInt16
        var frame: Int?
        var at: Microseconds
    }

    private struct Request {
        var frame: Int
        var bytes: Int
        var at: Microseconds
    }

    /// Bits per second, and percent.
    var capacity: Int64
    var loss: Int
    private(set) var now = second
    private(set) var rung: Int?
    /// Since the figures were begun anew.
    private(set) var longestFreeze: Microseconds = 0
    private(set) var longestSoundWait: Microseconds = 0
    private(set) var refused = 0

    private var downlink = Downlink(.transport)
    private var queue = PacedQueue()
    private var recorder = ArrivalRecorder()
    private var dice: Dice
    private var key: (rung: Int, at: Microseconds)?
    private var nextPicture: Microseconds = 0
    private var frames: [Frame] = []
    private var shown = 0
    /// What was before it is not repeated.
    private var forgotten = 0
    private var shownAt: Microseconds?
    private var busyUntil: Microseconds = 0
    private var flights: [Flight] = []
    private var requests: [Request] = []
    private var backwards: [(TransportFeedback, at: Microseconds)] = []
    private var usedBytes = 0
    private var since = second

    init(capacity: Int64, loss: Int, seed: UInt64 = 11) {
        dice = Dice(seed)
        self.capacity = capacity
        self.loss = loss
    }

    /// Of the link, by sound, pictures and repeats: 0...1.
    var use: Double { Double(usedBytes) * 8_000_000 / Double(now - since) / Double(capacity) }

    mutating func beginFigures() {
        since = now
        usedBytes = 0
        longestFreeze = 0
        longestSoundWait = 0
    }

    mutating func run(_ time: Microseconds) {
        let end = now + time
        while now < end {
            now += ms
            hear()
            choose()
            publish()
            flush()
            arrive()
        }
    }

    // MARK: Our end

    private mutating func hear() {
        for (feedback, at) in backwards where at <= now { downlink.take(feedback, at: now) }
        backwards.removeAll { $0.at <= now }
        for request in requests where request.at <= now && request.frame >= forgotten { wait(.repeat, request.bytes, of: request.frame) }
        requests.removeAll { $0.at <= now }
    }

    private mutating func choose() {
        if downlink.isDue(at: now) {
            let offers = Self.rungs.enumerated().map { LayerChoice.Offer(LayerTarget(layer: UInt8($0)), bitrate: $1, height: 0) }
            switch downlink.choose([LayerChoice.Track(id: 1, offers: offers, viewport: 1)], at: now)[0] {
            case .target(let target): want(Int(target.layer))
            case .noRoom:
                rung = nil
                key = nil
                _ = queue.drop(1)
            case .unseen, .noSource: break
            }
        }
        guard let (next, at) = key, at <= now else { return }
        key = nil
        rung = next
        if downlink.isLate(queued: queue.bytes), queue.drop(1) > 0 { forgotten = frames.count }
        picture(next, isKey: true)
        nextPicture = now + Self.pictureTime
    }

    private mutating func want(_ next: Int) {
        if next == rung {
            key = nil
        } else if key?.rung != next {
            key = (next, now + Self.keyWait)
        }
    }

    private mutating func publish() {
        if now % (20 * ms) == 0 { leave(.sound, Self.soundBytes, of: nil) }
        guard let rung, now >= nextPicture else { return }
        nextPicture += Self.pictureTime
        picture(rung, isKey: false)
    }

    private mutating func picture(_ rung: Int, isKey: Bool) {
        let bytes = Int(Self.rungs[rung] / 240) * (isKey ? 4 : 1)
        let count = (bytes + 1199) / 1200
        frames.append(Frame(isKey: isKey, missing: count))
        for _ in 0..<count {
            if queue.isEmpty, downlink.mayLeave(.picture, queued: bytes / count, at: now) {
                leave(.picture, bytes / count, of: frames.count - 1)
            } else {
                wait(.picture, bytes / count, of: frames.count - 1)
            }
        }
    }

    /// Its first four bytes say which picture it is of.
    private mutating func wait(_ kind: Pacer.Kind, _ bytes: Int, of frame: Int) {
        let head = (0..<4).map { UInt8(truncatingIfNeeded: frame >> (8 * $0)) }
        let packet = PacedQueue.Packet(kind, of: 1, stamp: nil, head + [UInt8](repeating: 0, count: max(0, bytes - 4)))
        if !queue.append(packet) { refused += 1 }
        #expect(queue.bytes <= PacedQueue.limit)
    }

    private mutating func flush() {
        downlink.advance(to: now)
        while let kind = queue.nextKind, downlink.mayLeave(kind, queued: queue.bytes, at: now), let packet = queue.removeFirst() {
            leave(kind, packet.bytes.count, of: (0..<4).reduce(0) { $0 | Int(packet.bytes[$1]) << (8 * $1) })
        }
        while queue.isEmpty, let bytes = downlink.padding(at: now) { leave(.padding, bytes + 64, of: nil) }
    }

    // MARK: The link

    private mutating func leave(_ kind: Pacer.Kind, _ bytes: Int, of frame: Int?) {
        guard let number = downlink.leave(kind, bytes: bytes, isNumbered: true, at: now) else { return }
        if kind != .padding { usedBytes += bytes }
        let begin = max(now, busyUntil)
        let isFull = begin - now > Self.queueTime
        if !isFull { busyUntil = begin + Int64(bytes) * 8_000_000 / capacity }
        guard !isFull, Int.random(in: 0..<100, using: &dice) >= loss else {
            // The player asks as soon as something behind it has come.
            if let frame { requests.append(Request(frame: frame, bytes: bytes, at: begin + 2 * Self.delay + 20 * ms)) }
            return
        }
        if kind == .sound { longestSoundWait = max(longestSoundWait, busyUntil - now) }
        flights.append(Flight(number: number, frame: frame, at: busyUntil + Self.delay + Int64.random(in: 0...2 * ms, using: &dice)))
    }

    private mutating func arrive() {
        for flight in flights where flight.at <= now {
            recorder.arrived(flight.number, at: flight.at)
            if let frame = flight.frame { frames[frame].missing -= 1 }
        }
        flights.removeAll { $0.at <= now }
        show()
        guard now % (100 * ms) == 0 else { return }
        while let feedback = recorder.feedback(sender: 1, media: 2) { backwards.append((feedback, now + Self.delay)) }
    }

    /// A picture is shown once all since the last key frame are here.
    private mutating func show() {
        let before = shown
        while shown < frames.count, frames[shown].missing == 0 { shown += 1 }
        if let key = frames.indices[shown...].last(where: { frames[$0].isKey && frames[$0].missing == 0 }) { shown = key + 1 }
        if let shownAt { longestFreeze = max(longestFreeze, now - shownAt) }
        if shown > before { shownAt = now }
    }
}

@Suite struct DownlinkTests {
    @Test(
        "layers go down within 1.5 s and up within 10 s, and use three quarters of the link",
        arguments: [0, 2], 1...4 as ClosedRange<UInt64>)
    func steps(loss: Int, seed: UInt64) {
        var room = Room(capacity: 3_000_000, loss: loss, seed: seed)
        room.run(10 * second)
        #expect(room.rung == 3)
        room.capacity = 300_000
        room.run(1500 * ms)
        #expect((room.rung ?? 0) <= 1)
        room.run(18_500 * ms)
        room.beginFigures()
        room.run(10 * second)
        #expect(room.rung == 1)
        #expect((0.75...1).contains(room.use), "\(room.use)")
        #expect(room.longestFreeze <= second, "\(room.longestFreeze)")
        #expect(room.longestSoundWait <= 250 * ms, "\(room.longestSoundWait)")
        room.capacity = 2_000_000
        room.run(10 * second)
        #expect(room.rung == 3)
        room.beginFigures()
        room.run(10 * second)
        #expect((0.75...1).contains(room.use), "\(room.use)")
        #expect(room.longestFreeze <= second, "\(room.longestFreeze)")
        #expect(room.refused == 0)
    }

    @Test(
        "over 300 kbit/s and 200 ms there and back no picture stands still for a second, whatever is lost",
        arguments: [1, 5, 10], 1...4 as ClosedRange<UInt64>)
    func narrow(loss: Int, seed: UInt64) {
        var room = Room(capacity: 300_000, loss: loss, seed: seed)
        room.run(15 * second)
        room.beginFigures()
        room.run(60 * second)
        #expect(room.rung != nil)
        #expect(room.use >= 0.4, "\(room.use)")
        #expect(room.longestFreeze <= second, "\(room.longestFreeze)")
        #expect(room.longestSoundWait <= 300 * ms, "\(room.longestSoundWait)")
    }

    @Test("what is lost whatever is sent takes no layer away")
    func lossy() {
        var room = Room(capacity: 1_000_000, loss: 10)
        room.run(20 * second)
        var seconds = 0
        for _ in 0..<60 {
            room.run(second)
            if (room.rung ?? 0) >= 2 { seconds += 1 }
        }
        #expect(seconds >= 50, "\(seconds) of 60")
    }

    @Test("where the link carries sound alone, sound is all that it gets")
    func sound() {
        var room = Room(capacity: 64_000, loss: 0)
        room.run(15 * second)
        room.beginFigures()
        room.run(10 * second)
        #expect(room.rung == nil)
        #expect(room.use > 0.55, "\(room.use)")
        #expect(room.longestSoundWait <= second, "\(room.longestSoundWait)")
        room.capacity = 3_000_000
        room.run(10 * second)
        #expect(room.rung == 3)
    }

    private static let tracks = [
        LayerChoice.Track(
            id: 1, offers: Room.rungs.enumerated().map { LayerChoice.Offer(LayerTarget(layer: UInt8($0)), bitrate: $1, height: 0) },
            viewport: 1)
    ]

    private static func layer(_ choices: [LayerChoice.Choice]) -> UInt8? {
        if case .target(let target) = choices.first { return target.layer }
        return nil
    }

    @Test("a player's own estimate is taken where it tells of nothing else, and the least layer goes whatever it says")
    func receiver() {
        var downlink = Downlink(.receiver)
        #expect(downlink.leave(.sound, bytes: 100, isNumbered: true, at: 0) == nil)
        #expect(Self.layer(downlink.choose(Self.tracks, at: second)) == 1)
        downlink.take(estimate: 20_000)
        #expect(downlink.isDue(at: second))
        #expect(Self.layer(downlink.choose(Self.tracks, at: second)) == 0)
        downlink.take(estimate: .max)
        #expect(downlink.isDue(at: second) == false)
        #expect(Self.layer(downlink.choose(Self.tracks, at: 2 * second)) == 0)
        #expect(Self.layer(downlink.choose(Self.tracks, at: 8 * second)) == 3)
    }

    @Test("who tells nothing gets all at once")
    func nothing() {
        var downlink = Downlink(.nothing)
        for _ in 0..<1000 {
            #expect(downlink.mayLeave(.picture, queued: 1_000_000, at: 0) == true)
            #expect(downlink.leave(.picture, bytes: 1200, isNumbered: true, at: 0) == nil)
        }
        #expect(Self.layer(downlink.choose(Self.tracks, at: 0)) == 3)
        downlink.advance(to: second)
        #expect(downlink.padding(at: second) == nil)
        #expect(downlink.bitrate == nil)
    }

    @Test("whatever a player tells, the estimate stays within its bounds", arguments: [UInt64(1), 2, 3])
    func hostile(seed: UInt64) throws {
        var dice = Dice(seed)
        var downlink = Downlink(.transport)
        for step in 0..<5000 as Range<Int64> {
            let now = second + step * ms
            _ = downlink.leave(.picture, bytes: 1200, isNumbered: true, at: now)
            let base = UInt16.random(in: 0...(.max), using: &dice)
            let count = Int.random(in: 1...0xffff, using: &dice)
            let reference = Int32.random(in: -0x80_0000...0x7f_ffff, using: &dice)
            let arrivals = (0..<min(count, 200)).map { place in
                let late = Int64.random(in: -8_000_000...8_000_000, using: &dice)
                return TransportFeedback.Arrival(sequence: base &+ UInt16(place), at: Int64(reference) * 64_000 + late)
            }
            downlink.take(
                TransportFeedback(
                    sender: 1, media: 2, base: base, count: count, number: UInt8(truncatingIfNeeded: step), reference: reference,
                    arrivals: arrivals), at: now)
            _ = downlink.choose(Self.tracks, at: now)
            downlink.advance(to: now)
            let bitrate = try #require(downlink.bitrate)
            #expect((30_000...100_000_000).contains(bitrate))
        }
    }
}

@Suite struct PacedQueueTests {
    private func packet(_ kind: Pacer.Kind, _ track: UInt32, _ bytes: Int) -> PacedQueue.Packet {
        PacedQueue.Packet(kind, of: track, stamp: nil, [UInt8](repeating: UInt8(track), count: bytes))
    }

    @Test("repeats go before pictures, each kind in its order")
    func order() {
        var queue = PacedQueue()
        for track in 1...3 as ClosedRange<UInt32> { #expect(queue.append(packet(.picture, track, 10)) == true) }
        for track in 7...8 as ClosedRange<UInt32> { #expect(queue.append(packet(.repeat, track, 5)) == true) }
        #expect(queue.bytes == 40 && queue.nextKind == .repeat)
        var tracks: [UInt32] = []
        while let packet = queue.removeFirst() { tracks.append(packet.track) }
        #expect(tracks == [7, 8, 1, 2, 3])
        #expect(queue.isEmpty && queue.bytes == 0 && queue.nextKind == nil)
    }

    @Test("what finds no room takes with it all that waits of its track, and of no other")
    func full() {
        var queue = PacedQueue()
        #expect(queue.append(packet(.picture, 2, 50_000)) == true)
        #expect(queue.append(packet(.picture, 1, 100_000)) == true)
        #expect(queue.append(packet(.picture, 1, 50_000)) == false)
        #expect(queue.bytes == 50_000 && queue.dropped == 2)
        #expect(queue.append(packet(.repeat, 1, 150_000)) == false)
        #expect(queue.bytes == 50_000)
        #expect(queue.drop(2) == 1)
        #expect(queue.isEmpty && queue.bytes == 0)
    }

    @Test("the memory of what has left is had by what waits next, empty, and no more of it is kept than a little")
    func spares() {
        var queue = PacedQueue()
        let first = queue.takeSpare()
        #expect(first.capacity == 0)
        for track in 1...100 as ClosedRange<UInt32> { #expect(queue.append(packet(.picture, track, 1000)) == true) }
        while let packet = queue.removeFirst() { queue.recycle(packet) }
        var kept: [[UInt8]] = []
        for _ in 0..<100 {
            let bytes = queue.takeSpare()
            if bytes.capacity > 0 { kept.append(bytes) }
        }
        #expect((1...16).contains(kept.count))
        #expect(kept.allSatisfy { $0.isEmpty && $0.capacity >= 1000 })
    }

    @Test("packets that go while others come are each there once")
    func flow() {
        var queue = PacedQueue()
        var (given, taken) = (0, 0)
        for step in 0..<5000 {
            #expect(queue.append(packet(.picture, 1, 1 + step % 7)) == true)
            given += 1 + step % 7
            if step % 3 != 0, let packet = queue.removeFirst() { taken += packet.bytes.count }
            #expect(queue.bytes == given - taken)
        }
        while let packet = queue.removeFirst() { taken += packet.bytes.count }
        #expect(given == taken && queue.bytes == 0)
    }
}
