import Crypto
import Posix
import Testing
import Units

@testable import Uplink

private func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }.map {
        UInt8(String(UnicodeScalar($0)), radix: 16)!
    }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

@Suite("What a stock flow says")
struct GREPacketTests {
    /// Taken from between a librist 0.2.7 sender and a `ristreceiver` of it, with this passphrase.
    private static let passphrase = Secret("2D2Ee5OpiCerifCLbpIcC0WbM0oVwDSI")
    private static let request = hex(
        """
        304888b6 f98032d9 00000041
        8fef8cff8560e7418eee32f2953965b4253c0c29a3530b4085546c0e5a7fa391bb898d447b470c5f7cf596a4b9e160f805f4144e4827cabc88a2a47b
        """)
    /// A receiver report, a name, and the request for packet 30.
    private static let compound = hex(
        """
        80c90001 ff617f58
        81ca0007 ff617f58 0115 766d4031302e3136342e3235352e313a35353830 3700
        80cc0003 ff617f58 52495354 001e0000
        """)
    private static let media = hex("304888b60ffa78aa0000000592860a2468a51e9bd9cd05218ae82bd2e15a05fa4ff3effd0c5758e23429a02468c1ea0b")

    private func read<Result>(_ bytes: [UInt8], _ body: (GREPacket, AESCounter) -> Result) -> Result? {
        bytes.withUnsafeBytes { buffer in
            guard let packet = GREPacket(buffer) else { return nil }
            var keys = FlowKeys(Self.passphrase)
            return keys.key(of: packet.nonce, at: .now).map { body(packet, $0) }
        }
    }

    @Test("librist's request and media packet are read")
    func librist() {
        #expect(read(Self.request) { $0.content($1) } == .control)
        #expect(read(Self.request) { $0.control($1) } == Self.compound)
        #expect(read(Self.media) { $0.content($1) } == .media(0))
    }

    @Test("with another compound in it the datagram reads as if its sender had made that")
    func replaced() throws {
        let report = Array(Self.compound.prefix(40))
        let changed = try #require(read(Self.request) { $0.replacing(report, $1) })
        #expect(changed.count == Self.request.count - 16)
        #expect(read(changed) { $0.control($1) } == report)
        #expect(read(Self.request) { $0.replacing($0.control($1), $1) } == Self.request)
    }

    @Test("what has no key, another protocol or no room for a block is passed over")
    func others() {
        for (index, value) in [(0, 0x10), (0, 0x20), (1, 0x08), (2, 0x08), (3, 0xb5)] {
            var bytes = Self.request
            bytes[index] = UInt8(value)
            #expect(read(bytes) { packet, _ in packet.nonce } == nil, "\(index) \(value)")
        }
        for count in 0..<28 { #expect(read(Array(Self.request.prefix(count))) { packet, _ in packet.nonce } == nil) }
        // librist's first version does not say how long its key is.
        var old = Self.request
        old[1] = 0
        #expect(read(old) { packet, _ in packet.nonce } == 0xf980_32d9)
    }

    @Test("sixteen nonces a second cost us a key each, those beyond do not, and what is in use stays known")
    func nonces() {
        var keys = FlowKeys(Self.passphrase)
        let start = Instant(nanoseconds: 1_000_000_000)
        let known = (1...20).filter { keys.key(of: UInt32($0), at: start) != nil }
        #expect(known.count == 16)
        for second in 1...8 {
            let now = start + .seconds(second)
            for nonce in 0..<20 { _ = keys.key(of: UInt32(100 * second + nonce), at: now) }
            #expect(keys.key(of: 1, at: now) != nil)
        }
        #expect(keys.key(of: 0, at: start + .seconds(60)) == nil)
    }

    @Test("requests that are not due leave a compound, and all else in it stays as it was")
    func requests() throws {
        // Packets 30 and, by their first and how many follow, 65,534 to 1.
        let compound = Array(Self.compound.dropLast(16)) + hex("80cc0004 ff617f58 52495354 001e0000 fffe0003")
        var asked: [UInt16] = []
        let some = try #require(
            Requests.without(compound) { number in
                asked.append(number)
                return number == 65_535 || number == 0
            })
        #expect(asked == [30, 65_534, 65_535, 0, 1])
        #expect(some.held == 3)
        #expect(some.compound == Array(Self.compound.dropLast(16)) + hex("80cc0003 ff617f58 52495354 ffff0001"))
        let none = try #require(Requests.without(compound) { _ in false })
        #expect(none.compound == Array(Self.compound.dropLast(16)))
        #expect(Requests.without(compound) { _ in true } == nil)
    }

    @Test("bits that stand for the packets behind one are requests too")
    func bitmask() throws {
        // RTPFB 1: packet 10 and, by bits 0 and 15, 11 and 26.
        let compound = hex("81cd0003 00000001 ff617f58 000a8001")
        var asked: [UInt16] = []
        let some = try #require(
            Requests.without(compound) { number in
                asked.append(number)
                return number > 10
            })
        #expect(asked == [10, 11, 26])
        #expect(some.held == 1 && some.compound.count == 20)
    }

    @Test("a compound with wrong lengths, and one that asks for more than any receiver would, goes on as it came")
    func hostile() {
        var calls = 0
        func without(_ compound: [UInt8]) -> Bool {
            Requests.without(compound) { _ in
                calls += 1
                return false
            } == nil
        }
        #expect(
            without(Array(Self.compound.dropLast())) && without(hex("80cc0003 ff617f58 52495354")) && without(hex("80cc00")) && without([]))
        #expect(without(hex("80cc0003 ff617f58 52495354 0000ffff")))
        #expect(calls == 0)
        for length in 0..<Self.compound.count { _ = without(Array(Self.compound.prefix(length))) }
        #expect(Requests.echoes(hex("82cc0004 ff617f58 52495354 83ab8ab6")).asked.isEmpty)
    }

    @Test("echoes are known by their marks, whatever else the compound holds")
    func echoes() {
        let request = hex("80c90001 ff617f58 cfcf0001 00000000 82cc0005 ff617f58 52495354 83ab8ab6 e871b387 00000000")
        let response = hex("83cc0005 016f794f 52495354 83ab8ab6 f313887b 00000000")
        #expect(Requests.echoes(request).asked == [0x83ab_8ab6_e871_b387])
        #expect(Requests.echoes(response).answered == [0x83ab_8ab6_f313_887b])
    }
}
