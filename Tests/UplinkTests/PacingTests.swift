import Posix
import Testing

@testable import Uplink

@Suite("Pacing")
struct PacingTests {
    /// Lets packets of 1316 bytes leave every tick; gives the time of each in milliseconds.
    private func run(_ bursts: [(atMs: Int64, packets: Int)], forMs: Int64) -> [(came: Int64, left: Int64)] {
        var pacing = Pacing()
        var waiting: [Int64] = []
        var left: [(Int64, Int64)] = []
        for ms in 0..<forMs {
            let now = Instant(nanoseconds: (1000 + ms) * 1_000_000)
            for burst in bursts where burst.atMs == ms {
                for _ in 0..<burst.packets {
                    waiting.append(ms)
                    pacing.came(bytes: 1316, queued: waiting.count * 1316, at: now)
                }
            }
            guard ms % 5 == 0 else { continue }
            while let first = waiting.first, pacing.leaves(bytes: 1316, at: now) {
                left.append((first, ms))
                waiting.removeFirst()
            }
            if waiting.isEmpty { pacing.emptied() }
        }
        return left
    }

    /// 2.5 Mbit/s at 25 pictures a second: a key frame of 100 packets every 2 s, and 7 packets for each other picture.
    private var stream: [(atMs: Int64, packets: Int)] {
        (0..<250).map { (atMs: Int64($0 * 40), packets: $0 % 50 == 0 ? 100 : 7) }
    }

    @Test("a key frame leaves over 200 to 300 ms, and nothing waits longer than that and a tick")
    func spreads() {
        let left = run(stream, forMs: 10_000)
        #expect(left.count == stream.reduce(0) { $0 + $1.packets })
        for key in [4000, 6000, 8000] as [Int64] {
            let times = left.filter { $0.came == key }.map { $0.left - key }
            #expect((200...310).contains(times.max() ?? 0))
        }
        #expect(left.allSatisfy { $0.left - $0.came <= 310 })
    }

    @Test("no 100 ms carry more than half as much again as the headroom over the mean")
    func levels() {
        let left = run(stream, forMs: 10_000)
        let mean = Double(stream.reduce(0) { $0 + $1.packets }) / 100
        for start in stride(from: 2000, to: 9900, by: 20) as StrideTo<Int64> {
            let count = left.filter { $0.left >= start && $0.left < start + 100 }.count
            #expect(Double(count) < mean * Pacing.headroom * 1.5)
        }
    }

    @Test("after a pause of any length packets leave at once")
    func resumes() {
        let left = run([(atMs: 0, packets: 7), (atMs: 30_000, packets: 1)], forMs: 30_100)
        #expect(left.last.map { $0.left - $0.came < 20 } == true)
    }
}
