import Testing

@testable import Session

/// Transport stream from another program, in datagrams of any cut.
@Suite struct PacketIntakeTests {
    /// Packets by their numbers, which nothing else in them is like.
    private static func stream(_ numbers: Range<Int>) -> [UInt8] {
        numbers.flatMap { number in [0x47, 0x1F, UInt8(number >> 8), UInt8(number & 0xFF)] + [UInt8](repeating: 0xFF, count: 184) }
    }

    private static func datagrams(_ bytes: [UInt8], of size: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    private static func feed(_ intake: inout PacketIntake, _ datagrams: [[UInt8]]) -> [Int] {
        var packets: [UInt8] = []
        for datagram in datagrams { packets += datagram.withUnsafeBytes { intake.take($0) } }
        #expect(packets.count % 188 == 0)
        return stride(from: 0, to: packets.count, by: 188).map { place in
            #expect(packets[place] == 0x47)
            return Int(packets[place + 2]) << 8 | Int(packets[place + 3])
        }
    }

    @Test("whatever the cut, all packets come and none twice", arguments: [1472, 1316, 188, 1, 500, 4096])
    func whole(_ size: Int) {
        var intake = PacketIntake()
        #expect(Self.feed(&intake, Self.datagrams(Self.stream(0..<400), of: size)) == Array(0..<400))
        #expect(intake.damagedTotal == 0 && intake.skippedTotal == 0)
    }

    @Test("a datagram that is lost costs what it held and what it shared with its neighbours", arguments: 1..<20)
    func lost(_ number: Int) {
        var (intake, datagrams) = (PacketIntake(), Self.datagrams(Self.stream(0..<400), of: 1472))
        datagrams.remove(at: number)
        let came = Self.feed(&intake, datagrams)
        #expect(came.count >= 400 - 9 && came == came.sorted() && Set(came).count == came.count)
        #expect(came.last == 399 && intake.skippedTotal < 2 * 188 && intake.damagedTotal <= 1)
    }

    @Test("junk is dropped and counted, and the stream behind it is whole, another one after half a packet too")
    func junk() {
        var intake = PacketIntake()
        let junk = (0..<50).map { _ in (0..<1472).map { UInt8(($0 * 7 + 1) % 64) } }
        #expect(Self.feed(&intake, junk).isEmpty)
        #expect(intake.damagedTotal == 50)
        let came = Self.feed(&intake, Self.datagrams(Self.stream(0..<100), of: 1472))
        #expect(came == Array(0..<100))
        // The program is started again in the middle of a packet, and cuts otherwise.
        let half = Self.datagrams(Self.stream(100..<200), of: 1472).dropLast()
        #expect(Self.feed(&intake, Array(half)).first == 100)
        #expect(Self.feed(&intake, Self.datagrams(Self.stream(300..<400), of: 1316)) == Array(300..<400))
        // RTP's header before each: what is behind it is whole.
        let rtp = Self.datagrams(Self.stream(0..<70), of: 1316).map { [0x80, 33] + [UInt8](repeating: 1, count: 10) + $0 }
        #expect(Self.feed(&intake, rtp) == Array(0..<70))
    }

    @Test("what is whole goes on as it is, and not while a packet has begun")
    func untouched() {
        var intake = PacketIntake()
        func isWhole(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { intake.isWhole($0) } }
        let good = Self.stream(0..<7)
        #expect(isWhole(good) && !isWhole([]) && !isWhole(Array(good.dropLast())) && !isWhole(Array(good.dropFirst()) + [0x47]))
        #expect(Self.feed(&intake, [Array(good.prefix(200))]) == [0])
        #expect(!isWhole(good))
        #expect(Self.feed(&intake, [Array(good.dropFirst(200))]) == Array(1..<7))
        #expect(isWhole(good))
    }
}
