import Foundation
import Testing

@testable import Lab

@Suite("A numbered stream")
struct NumberedStreamTests {
    private func marks(_ datagram: [UInt8]) -> [NumberedStream.Mark?] {
        stride(from: 0, to: datagram.count, by: 188).map { start in
            datagram[start..<(start + 188)].withUnsafeBytes { NumberedStream.mark(of: $0) }
        }
    }

    @Test("numbers each of seven packets in a datagram and says when it was made, tables and all")
    func marked() {
        var stream = NumberedStream()
        let first = stream.datagram(startsFrame: true, at: 5_000_000)
        let second = stream.datagram(startsFrame: false, at: 6_000_000)
        #expect(first.count == 1316 && second.count == 1316)
        #expect(marks(first) == (0..<7).map { NumberedStream.Mark(number: $0, madeAt: 5_000_000) })
        #expect(marks(second) == (7..<14).map { NumberedStream.Mark(number: $0, madeAt: 6_000_000) })
    }

    @Test("has its tables ten times a second, its video's counter without a gap, and a key frame every two seconds")
    func tables() {
        var stream = NumberedStream()
        var pids: [Int] = []
        var counters: [UInt8] = []
        var keys = 0
        for frame in 0..<90 {
            let datagram = stream.datagram(startsFrame: true, at: Int64(frame) * 33_333_333)
            for start in stride(from: 0, to: datagram.count, by: 188) {
                let pid = Int(datagram[start + 1] & 0x1f) << 8 | Int(datagram[start + 2])
                pids.append(pid)
                guard pid == 0x100 else { continue }
                counters.append(datagram[start + 3] & 15)
                if datagram[start + 5] & 0x40 != 0 { keys += 1 }
            }
        }
        let tables = pids.filter { $0 == 0 }.count
        #expect((22...31).contains(tables) && tables == pids.filter { $0 == 0x1000 }.count)
        #expect(counters == counters.indices.map { UInt8($0 % 16) })
        #expect(keys == 2)
    }

    @Test("is recorded: what is lost, late, again, out of order or none of it shows")
    func recorded() {
        var stream = NumberedStream()
        let datagrams = (0..<5).map { stream.datagram(startsFrame: false, at: Int64($0) * 20_000_000) }
        var record = StreamRecord()
        // The second is lost, the fourth comes before the third, the last one twice.
        for (index, at) in [(0, 100), (3, 180), (2, 190), (4, 230), (4, 231)] {
            datagrams[index].withUnsafeBytes { record.take($0, at: Int64(at) * 1_000_000) }
        }
        [UInt8](repeating: 0x47, count: 188).withUnsafeBytes { record.take($0, at: 240_000_000) }
        [1, 2, 3].withUnsafeBytes { record.take($0, at: 240_000_000) }
        let figures = record.figures(0..<Int64.max)
        #expect(figures.received == 4 * 7)
        #expect(figures.duplicates == 7)
        #expect(figures.reordered == 7)
        #expect(figures.malformed == 2)
        #expect(figures.latencyMs == .init(mean: 130, p50: 150, p99: 150, max: 150, min: 100))
        #expect(figures.longestGap == .init(ms: 80, at: 100_000_000))
        #expect(figures.receivedByMade.sum(from: 20_000_000, to: 40_000_000) == 0)
        #expect(figures.receivedByMade.sum(from: 40_000_000, to: 60_000_000) == 7)
        #expect(record.figures(0..<40_000_000).received == 7)
        #expect(record.figures(0..<Int64.max, late: 120_000_000).late == 2 * 7)
    }

    @Test("steps before the first one and far ahead are taken and left")
    func steps() {
        var counts = StepCounts()
        counts.add(1, at: 500_000_000)
        counts.add(2, at: 480_000_000)
        counts.raise(to: 9, at: 505_000_000)
        counts.add(5, at: .max)
        #expect(counts.first == 48)
        #expect(counts.values == [2, 0, 9])
        #expect(counts.sum(from: 480_000_000, to: 490_000_000) == 2)
    }
}
