import BondWire
import Crypto
import Testing

@testable import TLS

/// What somebody can do who knows both addresses and forges datagrams.
@Suite struct DTLSAttackTests {
    /// Records that a session must live through, and what they are.
    static let forged: [(name: String, bytes: [UInt8])] = [
        ("nothing", []), ("one byte", [22]), ("a head without a record", [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0]),
        ("a protected record of one byte", [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0]),
        ("a protected record of a nonce alone", [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 8] + [UInt8](repeating: 0, count: 8)),
        ("a protected record with a tag too short", [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 23] + [UInt8](repeating: 0, count: 23)),
        ("a protected record of no content", [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 24] + [UInt8](repeating: 0, count: 24)),
        ("a protected record that is not authentic", [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 40] + [UInt8](repeating: 5, count: 40)),
        ("a protected alert", [21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40]),
        ("an alert without protection", [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40]),
        ("content without protection", [23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3]),
        ("a change of ciphers", [20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1]),
        ("a change to nothing", [20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0]),
        ("a fragment that ends behind its message", handshake(message: 10, offset: 8, count: 4)),
        ("a message of 16 MB", handshake(message: 0xff_ffff, offset: 0, count: 4)),
        ("a fragment that ends behind its record", Array(handshake(message: 100, offset: 0, count: 50).dropLast(3))),
        ("half a fragment's head", [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 5, 11, 0, 0, 4, 0]),
        ("another version", [22, 0x03, 0x03, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0]),
        ("another content", [24, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0]),
        ("a record of 65,535 bytes", [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff] + [UInt8](repeating: 0, count: 0xffff)),
    ]

    /// Of a certificate, far behind what is next.
    private static func handshake(message: Int, offset: Int, count: Int) -> [UInt8] {
        func three(_ number: Int) -> [UInt8] { [UInt8(number >> 16), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)] }
        let body = [11] + three(message) + [0, 1] + three(offset) + three(count) + [UInt8](repeating: 1, count: count)
        return [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    @Test("a forged datagram before each one of the handshake, and of the call, costs neither end anything", arguments: forged.indices)
    func handshakeLives(index: Int) throws {
        let bytes = Self.forged[index].bytes
        let (one, other) = (try DTLSContext(at: today), try DTLSContext(at: today))
        let client = try DTLSSession(one, .client, peer: [other.fingerprint])
        let server = try DTLSSession(other, .server, peer: [one.fingerprint])
        let call = Call(client: client, server: server)
        call.start()
        for step in 0..<8 {
            for end in Call.End.allCases { call.handle(call[end].take(bytes, at: call.now), of: end) }
            call.run(until: Microseconds(step) * 1_000)
        }
        call.run(until: 5_000_000)
        #expect(call.connection(of: .client) != nil && call.connection(of: .client) == call.connection(of: .server))
        for end in Call.End.allCases { call.handle(call[end].take(bytes, at: call.now), of: end) }
        call.handle(client.send([1]), of: .client)
        call.handle(server.send([2]), of: .server)
        call.run(until: 6_000_000)
        #expect(call.events(of: .server).last == .received([1]))
        #expect(call.events(of: .client).last == .received([2]))
    }

    @Test("garbage of any kind in an open session is dropped")
    func garbage() throws {
        let call = try call()
        call.start()
        call.run(until: 1_000_000)
        var dice = Dice(state: 11)
        let real = call.datagrams(of: .client)
        for round in 0..<4_000 {
            // Noise, noise behind a good head, and good datagrams with a few bytes changed.
            var bytes = (0..<Int(dice.next() % 200)).map { _ in UInt8(truncatingIfNeeded: dice.next() >> 20) }
            if round % 3 == 1 { bytes = [UInt8(20 + dice.next() % 5), 0xfe, 0xfd, 0, UInt8(dice.next() % 3), 0, 0, 0, 0, 0] + bytes }
            if round % 3 == 2 {
                bytes = real[Int(dice.next() % UInt64(real.count))]
                for _ in 0..<1 + dice.next() % 3 {
                    bytes[Int(dice.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: dice.next() >> 20)
                }
            }
            call.handle(call[.server].take(bytes, at: call.now), of: .server)
        }
        #expect(call.events(of: .server).count == 1)
        call.handle(call[.client].send([9]), of: .client)
        call.run(until: 2_000_000)
        #expect(call.events(of: .server).last == .received([9]))
    }

    @Test("good records are let in beside forged ones of the same datagram")
    func mixed() throws {
        let call = try call()
        call.start()
        call.run(until: 1_000_000)
        guard case .send(let good)? = call[.client].send([1, 2]).first else {
            Issue.record("nothing sent")
            return
        }
        let short: [UInt8] = [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0]
        #expect(call[.server].take(short + good + [1, 2, 3], at: call.now) == [.received([1, 2])])
        #expect(call[.server].take(good, at: call.now) == [])
        #expect(call[.server].dropped == 1)
    }
}
