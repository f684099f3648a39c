import MPEGTS
import Testing
import Units

struct TimelineTests {
    @Test("a sender that begins anew goes on where it was, later by the time it was away", arguments: [0, 5, 3000, 60_000])
    func restart(_ awayMs: Int) {
        var timeline = Timeline()
        var last = MediaTime(ticks: 0)
        for index in 0..<300 {
            last = timeline.place(324_000_000 + Int64(index) * 3000, on: .media(1), arrival: .milliseconds(index * 33)).time
        }
        let arrival = Duration.milliseconds(299 * 33 + awayMs)
        let first = timeline.place(324_000_000, on: .media(1), arrival: arrival)
        #expect(first.beginsEpoch)
        #expect((first.time - last).ticks == max(3000, Int64(awayMs) * 90))
        let next = timeline.place(324_003_000, on: .media(1), arrival: arrival + .milliseconds(33))
        #expect((next.time - first.time).ticks == 3000)
        #expect(!next.beginsEpoch)
    }

    @Test("an outage during which the sender's clock ran on keeps the distance")
    func outage() {
        var timeline = Timeline()
        _ = timeline.place(1000, on: .clock(1), arrival: .seconds(1))
        let after = timeline.place(1000 + 20 * 90_000, on: .clock(1), arrival: .seconds(21))
        #expect(!after.beginsEpoch)
        #expect(after.time.ticks == 1000 + 20 * 90_000)
    }

    @Test("a leap ahead that no time has passed for begins an epoch")
    func leap() {
        var timeline = Timeline()
        _ = timeline.place(1000, on: .clock(1), arrival: .seconds(1))
        let after = timeline.place(1000 + 3600 * 90_000, on: .clock(1), arrival: .seconds(2))
        #expect(after.beginsEpoch)
        #expect(after.time.ticks == 1000 + 90_000)
    }

    @Test("24 hours with a clock that drifts pass without a jump", arguments: [-200, 0, 200])
    func drift(_ ppm: Int64) {
        var timeline = Timeline()
        var previous: MediaTime?
        var count: Int64 = 0
        // A stamp each 500 ms, beginning 30 s before the wrap.
        let base = Timestamp.modulus - 30 * 90_000
        for step in 0..<172_800 as Range<Int64> {
            let ticks = step * 45_000 + step * 45_000 * ppm / 1_000_000
            let placed = timeline.place(Timestamp.wrap(base + ticks), on: .clock(1), arrival: .milliseconds(step * 500))
            if let previous { count += (placed.time - previous).ticks }
            previous = placed.time
        }
        #expect(timeline.jumps == 0)
        #expect(count == 172_799 * 45_000 + 172_799 * 45_000 * ppm / 1_000_000)
    }

    @Test("24 hours of drift move clock, pictures and sound alike, also after a restart of the sender", arguments: [-200, 200])
    func driftTogether(_ ppm: Int64) {
        var timeline = Timeline()
        let base = Timestamp.modulus - 30 * 90_000
        let tracks: [(track: Timeline.Track, lead: Int64)] = [(.clock(1), -63_000), (.media(1), 0), (.media(2), -1920)]
        for (track, lead) in tracks { _ = timeline.place(1_000_000 + lead, on: track, arrival: .zero) }
        var moved: Int64?
        // Each second from ten seconds on, when the sender began anew.
        for second in 10..<86_410 as Range<Int64> {
            let ticks = second * 90_000 + second * 90_000 * ppm / 1_000_000
            for (track, lead) in tracks {
                let placed = timeline.place(Timestamp.wrap(base + ticks + lead), on: track, arrival: .seconds(second))
                let move = placed.time.ticks - (base + ticks + lead)
                // In whole turns of 33 bits apart from the offset, which is the same for all from the second stamp of the epoch on.
                if second > 10 { #expect((move - (moved ?? move)) % Timestamp.modulus == 0) }
                moved = move
            }
        }
        #expect(timeline.jumps == 1)
    }

    @Test("whatever a sender does, no track goes back by more than senders shuffle, and epochs only go forward")
    func property() {
        var random = Seeded(1)
        for _ in 0..<200 {
            var timeline = Timeline()
            var lasts: [Timeline.Track: Int64] = [:]
            var clock = Int64.random(in: 0..<Timestamp.modulus, using: &random)
            var arrival = Duration.zero
            for _ in 0..<300 {
                if Int.random(in: 0..<40, using: &random) == 0 {
                    clock = Int64.random(in: 0..<Timestamp.modulus, using: &random)
                    arrival += .milliseconds(Int.random(in: 0..<5000, using: &random))
                }
                clock += 3000
                arrival += .milliseconds(33)
                for track in [Timeline.Track.clock(1), .media(1), .media(2)] {
                    let lead: Int64 = track == .clock(1) ? 0 : 45_000
                    let placed = timeline.place(Timestamp.wrap(clock + lead), on: track, arrival: arrival)
                    if let last = lasts[track] { #expect(placed.time.ticks > last) }
                    lasts[track] = placed.time.ticks
                }
            }
        }
    }
}
