import BondWire
import Crypto
import Testing

@testable import TLS

/// What somebody can do who knows both addresses and forges datagrams.
@Suite struct DTLSAttackTests {
    /// A record, number 9 of its epoch.
    private static func record(_ content: UInt8, epoch: UInt8, _ body: [UInt8], count: Int? = nil, version: UInt8 = 0xfe) -> [UInt8] {
        let count = count ?? body.count
        let head: [UInt8] = [content, version, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 9, UInt8(count >> 8), UInt8(count & 0xff)]
        return head + body
    }

    /// A fragment of a certificate, far behind what is next.
    private static func fragment(message: Int, offset: Int, count: Int) -> [UInt8] {
        func three(_ number: Int) -> [UInt8] { [UInt8(number >> 16), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)] }
        var body: [UInt8] = [11]
        body += three(message)
        body += [0, 1]
        body += three(offset)
        body += three(count)
        body += [UInt8](repeating: 1, count: count)
        return record(22, epoch: 0, body)
    }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    /// Datagrams that a session must live through, by what they are.
    static let forged: [String: [UInt8]] = [
        "nothing": [],
        "one byte": [22],
        "a head without a record": record(23, epoch: 1, []),
        "a protected record of one byte": record(23, epoch: 1, [0]),
        "a protected record of a nonce alone": record(23, epoch: 1, zeros(8)),
        "a protected record with a tag too short": record(23, epoch: 1, zeros(23)),
        "a protected record of no content": record(23, epoch: 1, zeros(24)),
        "a protected record that is not authentic": record(23, epoch: 1, zeros(40)),
        "a message of the handshake that is not authentic": record(22, epoch: 1, zeros(40)),
        "a protected alert that is too short": record(21, epoch: 1, [2, 40]),
        "an alert without protection": record(21, epoch: 0, [2, 40]),
        "content without protection": record(23, epoch: 0, [1, 2, 3]),
        "a change of ciphers": record(20, epoch: 0, [1]),
        "a change to nothing": record(20, epoch: 0, [0]),
        "a fragment that ends behind its message": fragment(message: 10, offset: 8, count: 4),
        "a message of 16 MB": fragment(message: 0xff_ffff, offset: 0, count: 4),
        "a fragment that ends behind its record": Array(fragment(message: 100, offset: 0, count: 50).dropLast(3)),
        "half a fragment's head": record(22, epoch: 0, [11, 0, 0, 4, 0]),
        "another version": record(22, epoch: 0, [0], version: 3),
        "another content": record(24, epoch: 0, [0]),
        "a record of 65,535 bytes": record(22, epoch: 0, zeros(0xffff)),
    ]

    @Test("a forged datagram before each of the handshake, and of the call, costs neither end anything", arguments: forged.keys.sorted())
    func handshakeLives(name: String) throws {
        let bytes = try #require(Self.forged[name])
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
            if round % 3 == 1 { bytes = Self.record(UInt8(20 + dice.next() % 5), epoch: UInt8(dice.next() % 3), bytes) }
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
        let short = Self.record(23, epoch: 1, [0])
        #expect(call[.server].take(short + good + [1, 2, 3], at: call.now) == [.received([1, 2])])
        #expect(call[.server].take(good, at: call.now) == [])
        #expect(call[.server].dropped == 1)
    }
}
