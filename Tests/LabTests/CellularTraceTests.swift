import Foundation
import Testing

@testable import Lab

@Suite("A cellular trace")
struct CellularTraceTests {
    @Test("is what a trace file may be, has the mean it was asked for, and comes again from its seed", arguments: 1...20)
    func made(seed: UInt64) throws {
        let trace = CellularTrace(seed: seed, seconds: 60, meanKbit: 3000)
        #expect(try TraceFile.parse(trace.file) == trace.times)
        #expect(trace.times.last == 60_000)
        // Packets of 1500 bytes in 60 s.
        let meanKbit: Double = Double(trace.times.count) * 12 / 60
        #expect(abs(meanKbit / 3000 - 1) < 0.02)
        #expect(trace == CellularTrace(seed: seed, seconds: 60, meanKbit: 3000))
        #expect(trace != CellularTrace(seed: seed + 1000, seconds: 60, meanKbit: 3000))
    }

    @Test("keeps its packets when it is begun elsewhere")
    func rotated() throws {
        let trace = CellularTrace(seed: 7, seconds: 60, meanKbit: 3000)
        let rotated = trace.rotated(byMs: 20_000)
        #expect(abs(rotated.times.count - trace.times.count) <= 1)
        #expect(try TraceFile.parse(rotated.file) == rotated.times)
        #expect(rotated.times.first == trace.times.first { $0 > 20_000 }.map { $0 - 20_000 })
    }

    @Test("has outages and none of its links alike")
    func sets() {
        let set = CellularTrace.set(seed: 3, links: 4, seconds: 120, pooledKbit: 8000)
        #expect(Set(set).count == 4)
        #expect(set.contains { trace in zip(trace.times, trace.times.dropFirst()).contains { $1 - $0 >= 500 } })
        let pooledKbit: Double = Double(set.reduce(0) { $0 + $1.times.count }) * 12 / 120
        #expect(abs(pooledKbit / 8000 - 1) < 0.02)
    }
}
