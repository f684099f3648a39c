import Support
import Testing
import Units

@testable import MPEGTS
@testable import Relay

/// A sender, a splicer and what comes out of it, on a clock of the test's own.
struct Simulation {
    var splicer = Splicer()
    var now: Duration = .zero
    private(set) var shown: [Shown] = []
    private(set) var sounds: [AudioUnit] = []
    private(set) var transport: [UInt8] = []

    struct Shown {
        let unit: VideoUnit
        let isSlate: Bool
        let at: Duration
    }

    /// The clip's 12 s.
    private static let seconds = 12.0

    init() { splicer.makesGroups = true }

    /// Plays a part of a clip at its pace, in seconds of it.
    mutating func play(_ clip: [UInt8], from: Double = 0, to: Double) {
        let step = 0.02
        var position = from
        while position < to - 0.001 {
            let end = min(to, position + step)
            tickIfDue()
            var events: [StreamReader.Event] = []
            splicer.feed(Array(clip[Self.packets(clip, position)..<Self.packets(clip, end)]), at: now) { events.append($0) }
            take(events)
            prepare()
            position = end
            now += .seconds(step)
        }
    }

    /// Nothing comes for a while.
    mutating func dark(_ duration: Duration) {
        let end = now + duration
        while now < end {
            tickIfDue()
            now += .milliseconds(20)
        }
    }

    mutating func finish() {
        var events: [StreamReader.Event] = []
        splicer.finish { events.append($0) }
        take(events)
    }

    var slatePictures: [VideoUnit] { shown.filter(\.isSlate).map(\.unit) }

    private mutating func tickIfDue() {
        guard let next = splicer.nextTick(after: now - .milliseconds(40)), next <= now else { return }
        var events: [StreamReader.Event] = []
        splicer.tick(at: now) { events.append($0) }
        take(events)
    }

    /// A slate of the stream's own parameter sets: what it shows does not matter here.
    private mutating func prepare() {
        guard let wanted = splicer.wanted, splicer.slate?.format != wanted else { return }
        let sample = shown.map(\.unit)
        guard let key = sample.first(where: \.isKey), let other = sample.first(where: { !$0.isKey }) else { return }
        splicer.slate = Slate(
            format: wanted, pictures: [key.bytes + Self.mark] + (1..<25).map { _ in other.bytes + Self.mark })
    }

    /// A unit of user data at the end of each picture of the slate.
    private static let mark: [UInt8] = [0, 0, 1, 6, 5, 4, 0x51, 0xA7, 0xE5, 0x1A, 0x80]

    private mutating func take(_ events: [StreamReader.Event]) {
        for event in events {
            switch event {
            case .video(let unit): shown.append(Shown(unit: unit, isSlate: unit.bytes.suffix(11) == Self.mark[...], at: now))
            case .audio(let unit): sounds.append(unit)
            case .group(let group): transport += (transport.isEmpty ? group.tables : []) + group.bytes
            case .program: break
            }
        }
    }

    static func packets(_ clip: [UInt8], _ second: Double) -> Int {
        min(clip.count, Int(Double(clip.count / 188) * second / seconds) * 188)
    }

    // MARK: What is to be true of every stream

    /// Times go forward without a gap that is heard or seen, whatever was the source; each change of it is at a whole key frame; and
    /// who takes transport packets sees the same without a missing packet.
    func expectUnbroken(pictureMs: Double = 60, soundMs: Double = 45, _ location: SourceLocation = #_sourceLocation) throws {
        let pictures = shown.map(\.unit)
        try expectForward(pictures.map(\.decode), upTo: pictureMs, "pictures", location)
        try expectForward(sounds.map(\.presentation), upTo: soundMs, "sound", location)
        for (before, after) in zip(shown, shown.dropFirst()) where before.isSlate != after.isSlate {
            #expect(after.unit.isKey && after.unit.hasParameters && !after.unit.isDamaged, sourceLocation: location)
            #expect(after.unit.presentation > before.unit.presentation, sourceLocation: location)
        }
        var reader = StreamReader()
        var (passed, heard) = ([VideoUnit](), [AudioUnit]())
        func note(_ event: StreamReader.Event) {
            if case .video(let unit) = event { passed.append(unit) }
            if case .audio(let unit) = event { heard.append(unit) }
        }
        reader.feed(transport, arrival: .zero) { note($0) }
        reader.finish { note($0) }
        #expect(reader.continuityErrors == 0, "\(reader.continuityErrors) packets are missing", sourceLocation: location)
        #expect(reader.restarts == 0, "it looks like \(reader.restarts) restarts", sourceLocation: location)
        #expect(
            passed.allSatisfy { !$0.isDamaged } && passed.count >= pictures.count - 3, "\(passed.count) of \(pictures.count)",
            sourceLocation: location)
        try expectForward(passed.map(\.decode), upTo: pictureMs, "passed pictures", location)
        try expectForward(heard.map(\.presentation), upTo: soundMs, "passed sound", location)
    }

    private func expectForward(_ times: [MediaTime], upTo limit: Double, _ what: String, _ location: SourceLocation) throws {
        let steps = zip(times, times.dropFirst()).map { Double(($1 - $0).ticks) / 90 }
        guard let widest = steps.max(), let least = steps.min() else { return }
        #expect(least > 0 && widest <= limit, "\(what): \(least) to \(widest) ms apart", sourceLocation: location)
    }
}
