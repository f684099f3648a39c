import BondWire
import Testing

@testable import Forwarding

@Suite struct SpeakersTests {
    private var speakers = Speakers()
    private var now: Microseconds = 0

    /// Each tenth of a second five packets of each voice, of these levels.
    private mutating func talk(_ levels: [UInt8?], tenths: Int) {
        for _ in 0..<tenths {
            for (voice, level) in levels.enumerated() {
                guard let level else { continue }
                for _ in 0..<5 { speakers.heard(voice, level: level) }
            }
            now += Speakers.interval
            _ = speakers.update(at: now)
        }
    }

    private mutating func come(_ count: Int) {
        for index in 0..<count { #expect(speakers.add() == index) }
        _ = speakers.update(at: now)
    }

    @Test("whoever speaks is the speaker, and stays it in silence; a quiet room is nobody")
    mutating func one() {
        come(3)
        talk([60, 127, nil], tenths: 20)
        #expect(speakers.dominant == nil && !speakers.isSpeaking(0))
        talk([60, 20, nil], tenths: 3)
        #expect(speakers.dominant == 1 && speakers.isSpeaking(1))
        talk([60, nil, nil], tenths: 30)
        #expect(speakers.dominant == 1 && !speakers.isSpeaking(1))
        talk([25, nil, nil], tenths: 3)
        #expect(speakers.dominant == 0)
    }

    @Test("a cough takes the picture from nobody; half a second of somebody clearly louder does; equals change nothing")
    mutating func hysteresis() {
        come(2)
        talk([30, 90], tenths: 20)
        talk([30, 5], tenths: 3)
        #expect(speakers.dominant == 0)
        talk([30, 90], tenths: 10)
        talk([30, 28], tenths: 50)
        #expect(speakers.dominant == 0 && speakers.isSpeaking(1))
        talk([30, 10], tenths: 8)
        #expect(speakers.dominant == 1)
    }

    @Test("the gaps between words are no silence")
    mutating func words() {
        come(2)
        talk([30, 90], tenths: 10)
        for _ in 0..<10 {
            talk([30, 90], tenths: 4)
            talk([nil, 90], tenths: 2)
            #expect(speakers.isSpeaking(0))
        }
    }

    @Test("the last three are those who were heard most lately, and nobody else moves them")
    mutating func lastN() {
        come(5)
        #expect(Array(speakers.latest(3)) == [0, 1, 2])
        talk([nil, nil, nil, nil, 20], tenths: 5)
        #expect(Array(speakers.latest(3)) == [4, 0, 1])
        talk([nil, nil, nil, 20, nil], tenths: 15)
        #expect(Array(speakers.latest(3)) == [3, 4, 0])
        talk(Array(repeating: 100, count: 5), tenths: 50)
        #expect(Array(speakers.latest(3)) == [3, 4, 0])
        speakers.remove(3)
        #expect(speakers.dominant == nil && Array(speakers.latest(3)) == [4, 0, 1])
        #expect(speakers.add() == 3)
        #expect(Array(speakers.latest(9)).last == 3)
        speakers.heard(77, level: 0)
        #expect(!speakers.isSpeaking(77))
    }
}

@Suite struct RepeatLimitTests {
    @Test("a packet is repeated once in a round trip and six times in all; a later one of the same number anew")
    func perPacket() {
        var limit = RepeatLimit(at: 0)
        limit.setBitrate(1 << 40)
        var repeated: [Microseconds] = []
        for now in stride(from: Microseconds(0), to: second, by: Int(10 * ms))
        where limit.mayRepeat(7, of: 1, bytes: 100, roundTrip: 80 * ms, at: now) {
            repeated.append(now / ms)
        }
        #expect(repeated == [0, 60, 120, 180, 240, 300])
        #expect(limit.mayRepeat(7 + 256, of: 1, bytes: 100, roundTrip: 80 * ms, at: second) == true)
        #expect(limit.mayRepeat(7, of: 1, bytes: 100, roundTrip: 80 * ms, at: 2 * second) == true)
    }

    @Test("who asks for everything gets a quarter of its bitrate and a burst", arguments: [Int64(800_000), 8_000_000])
    func share(bitrate: Int64) {
        var limit = RepeatLimit(at: 0)
        limit.setBitrate(bitrate)
        var bits: Int64 = 0
        for step in 0..<10_000 as Range<Int64> where limit.mayRepeat(UInt16(step), of: 3, bytes: 1250, roundTrip: nil, at: step * ms) {
            bits += 10_000
        }
        let share = max(bitrate / 4, 300_000)
        #expect((share * 95 / 10...share * 11).contains(bits), "\(bits)")
        #expect(limit.refused > 1000)
    }
}

@Suite struct LayerChoiceTests {
    private var choice = LayerChoice()

    /// Three simulcast layers of 150, 500 and 1,500 kbit/s.
    private func track(_ id: UInt32, viewport: Int = 720, priority: Int = 0, layers: Int = 3) -> LayerChoice.Track {
        let offers = [(180, 150), (360, 500), (720, 1500)].enumerated().prefix(layers).map { layer, shape in
            LayerChoice.Offer(LayerTarget(layer: UInt8(layer)), bitrate: Int64(shape.1) * 1000, height: shape.0)
        }
        return LayerChoice.Track(id: id, offers: offers, viewport: viewport, priority: priority)
    }

    private mutating func layers(_ tracks: [LayerChoice.Track], kbit: Int64, at now: Microseconds) -> [Int?] {
        choice.choose(tracks, bitrate: kbit * 1000, at: now).map { choice in
            if case .target(let target) = choice { return Int(target.layer) }
            return nil
        }
    }

    @Test("everybody who is seen gets something first, then the most important get better, equals in turn")
    mutating func order() {
        #expect(layers([track(1), track(2), track(3, priority: 1)], kbit: 2000, at: 0) == [0, 0, 2])
        choice = LayerChoice()
        #expect(layers([track(1), track(2), track(3)], kbit: 1600, at: 0) == [1, 1, 1])
        choice = LayerChoice()
        #expect(layers([track(1), track(2), track(3, priority: 1)], kbit: 320, at: 0) == [0, nil, 0])
        #expect(choice.choose([track(1)], bitrate: 0, at: 0) == [.noRoom])
    }

    @Test("nobody gets more than its place on the page shows, and what is not seen is not sent")
    mutating func viewport() {
        #expect(layers([track(1, viewport: 180), track(2, viewport: 200), track(3, viewport: 1080)], kbit: 9000, at: 0) == [0, 1, 2])
        #expect(choice.choose([track(1, viewport: 0), track(2, layers: 0)], bitrate: 9_000_000, at: 0) == [.unseen, .noSource])
        // Shown larger, it is better at once.
        #expect(layers([track(4, viewport: 180)], kbit: 9000, at: 0) == [0])
        #expect(layers([track(4, viewport: 720)], kbit: 9000, at: ms) == [2])
    }

    @Test("down is at once, up after two seconds of room to spare, five after the link was too narrow")
    mutating func hysteresis() {
        #expect(layers([track(1)], kbit: 600, at: 0) == [1])
        // 1,500 fits into 1,600, but not with a tenth to spare.
        for tenth in 0..<100 as Range<Int64> { #expect(layers([track(1)], kbit: 1600, at: tenth * 100 * ms) == [1]) }
        #expect(layers([track(1)], kbit: 1700, at: 10 * second) == [1])
        #expect(layers([track(1)], kbit: 1700, at: 11_900 * ms) == [1])
        #expect(layers([track(1)], kbit: 1700, at: 12 * second) == [2])
        #expect(layers([track(1)], kbit: 1499, at: 13 * second) == [1])
        #expect(layers([track(1)], kbit: 1700, at: 13_200 * ms) == [1])
        // A moment without room: the time begins anew.
        #expect(layers([track(1)], kbit: 1600, at: 15 * second) == [1])
        #expect(layers([track(1)], kbit: 1700, at: 15_200 * ms) == [1])
        #expect(layers([track(1)], kbit: 1700, at: 20_100 * ms) == [1])
        #expect(layers([track(1)], kbit: 1700, at: 20_200 * ms) == [2])
    }

    @Test("a layer that the publisher ceases to send is left at once for the one beneath")
    mutating func ceased() {
        #expect(layers([track(1)], kbit: 9000, at: 0) == [2])
        #expect(layers([track(1, layers: 2)], kbit: 9000, at: ms) == [1])
        #expect(layers([track(1, layers: 0)], kbit: 9000, at: 2 * ms) == [nil])
    }

    @Test("where layers within one source come and go the nearest that is there stands for what was chosen")
    mutating func sublayers() {
        func track(_ temporals: [UInt8]) -> LayerChoice.Track {
            let offers = temporals.enumerated().map { place, temporal in
                LayerChoice.Offer(LayerTarget(layer: 0, temporal: temporal), bitrate: Int64(place + 1) * 100_000, height: 0)
            }
            return LayerChoice.Track(id: 1, offers: offers, viewport: 1)
        }
        func temporal(_ choices: [LayerChoice.Choice]) -> UInt8? {
            if case .target(let target) = choices.first { return target.temporal }
            return nil
        }
        #expect(temporal(choice.choose([track([0, 1, .max])], bitrate: 210_000, at: 0)) == 1)
        #expect(temporal(choice.choose([track([0, .max])], bitrate: 150_000, at: ms)) == 0)
        choice = LayerChoice()
        #expect(temporal(choice.choose([track([0, 1, .max])], bitrate: 210_000, at: 0)) == 1)
        // It was all of one layer from now on: it is not taken away for that.
        #expect(temporal(choice.choose([track([.max])], bitrate: 210_000, at: ms)) == .max)
    }

    @Test("what shows nothing begins as soon as there is room, and only after a fall it waits")
    mutating func beginning() {
        #expect(layers([track(1)], kbit: 100, at: 0) == [nil])
        #expect(layers([track(1)], kbit: 600, at: ms) == [1])
        #expect(layers([track(1)], kbit: 100, at: second) == [nil])
        #expect(layers([track(1)], kbit: 600, at: 2 * second) == [nil])
        #expect(layers([track(1)], kbit: 600, at: 7 * second) == [1])
    }

    @Test("more is taken by what the link carries in the long run, and kept by what it carries now")
    mutating func sustained() {
        #expect(layers([track(1)], kbit: 400, at: 0) == [0])
        for tenth in 0...20 as ClosedRange<Int64> {
            _ = choice.choose([track(1)], bitrate: 510_000, sustained: 560_000, at: second + tenth * 100 * ms)
        }
        #expect(layers([track(1)], kbit: 510, at: 4 * second) == [1])
        #expect(layers([track(1)], kbit: 499, at: 5 * second) == [0])
    }

    @Test("whatever comes, no more than the bitrate is given out, and nobody above its place", arguments: [UInt64(1), 2, 3])
    mutating func bounds(seed: UInt64) {
        var dice = Dice(seed)
        var changes = 0
        var before: [LayerChoice.Choice] = []
        for step in 0..<2000 as Range<Int64> {
            let tracks = (0..<6 as Range<UInt32>).filter { _ in !dice.hits(percent: 3) }.map { id -> LayerChoice.Track in
                var track = track(id, viewport: [0, 180, 360, 720][Int(id % 4)], priority: id == 5 ? 1 : 0)
                for index in track.offers.indices {
                    track.offers[index].bitrate += Int64.random(in: 0...50_000, using: &dice)
                }
                return track
            }
            let bitrate = Int64.random(in: 100_000...4_000_000, using: &dice)
            let chosen = choice.choose(tracks, bitrate: bitrate, at: step * 200 * ms)
            var total: Int64 = 0
            for (track, choice) in zip(tracks, chosen) {
                guard case .target(let target) = choice else { continue }
                let offer = track.offers.first { $0.target == target }!
                total += offer.bitrate
                #expect(track.viewport > 0 && offer.height <= max(track.viewport, 180))
            }
            #expect(total <= bitrate)
            if chosen != before { changes += 1 }
            before = chosen
        }
        #expect(changes > 100)
    }
}
