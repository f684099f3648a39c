import Crypto
import Testing

@testable import BondWire

/// A whole conversation, against bytes that another implementation made from `PROTOCOL.md` (Python: hmac, hashlib, and the
/// AESGCM of the package cryptography).
@Suite struct VectorTests {
    private let random = [UInt8](repeating: 0xc1, count: 32)
    private let session = SessionID([UInt8](repeating: 0xa1, count: 16))!
    private static let c1 = String(repeating: "c1", count: 32)

    private let hello = hex(
        ("kind", "10"), ("version", "01"), ("link", "02"), ("zero", "00"), ("stream", "814fcad862d82809"),
        ("session", String(repeating: "a1", count: 16)), ("random_c", c1), ("mac", "3cb5b5bbe1c402188250864c0484741d"))
    private let retry = hex(
        ("kind", "11"), ("version", "01"), ("link", "02"), ("zero", "00"), ("random_c", c1), ("bucket", "0000000000000003"),
        ("cookie", "6b2f83831698ba404706f39b5a2b23d2"), ("mac", "332d38d32ec56dfde68f6fbb31e9231d"))
    private let open = hex(
        ("kind", "12"), ("version", "01"), ("link", "02"), ("zero", "00"), ("stream", "814fcad862d82809"),
        ("session", String(repeating: "a1", count: 16)), ("random_c", c1), ("bucket", "0000000000000003"),
        ("cookie", "6b2f83831698ba404706f39b5a2b23d2"), ("mac", "9ba0598f5725ba58bd2402d6e6dbf99e"))
    private let accept = hex(
        ("kind", "13"), ("version", "01"), ("link", "02"), ("zero", "00"), ("random_c", c1),
        ("random_s", String(repeating: "51", count: 32)), ("connection", "0abcde"), ("zero", "00"),
        ("mac", "4b3183923a88bbc0d2e306424876828c"))
    private let refuse = hex(
        ("kind", "14"), ("version", "01"), ("link", "02"), ("code", "02"), ("random_c", c1), ("mac", "6fa5e32d000cc514b3172c1989f06dc9"))

    /// The sender's first: epoch 0, sequence 0, sent at 0x0102030405 us, a challenge of 0x1122334455667788.
    private let up = hex(
        ("epoch", "40"), ("connection", "0abcde"), ("sequence", "00000000"),
        ("time, kind and number", "d5e82975f428575d400621108f"), ("tag", "a88050e565ada03db4ac46e159077f6d"))
    /// Its second, ten minutes later: epoch 1, sequence 1, an empty probe.
    private let upLater = hex(
        ("epoch", "41"), ("connection", "0abcde"), ("sequence", "00000001"), ("time and kind", "38da1ddd93"),
        ("tag", "760eb5b45ae6be713082ed3e84ade11a"))
    /// The receiver's sixth: epoch 0, sequence 5, sent at 7 us, a response.
    private let down = hex(
        ("epoch", "40"), ("connection", "0abcde"), ("sequence", "00000005"), ("time, kind and number", "37d9bcebdff82843aa24b7d580"),
        ("tag", "c027a2d475ff3346008b279066ef38f8"))

    @Test("the dialler's messages and datagrams are these bytes")
    func dialer() throws {
        var dialer = Dialer(key: streamKey, session: session, link: link(2), crypto: ScriptedRandom([random]).crypto)
        #expect(dialer.start(at: 0) == hello)
        #expect(try #require(dialer.take(retry, at: 30 * ms).sent) == open)
        let secure = try #require(dialer.take(accept, at: 70 * ms).link)
        #expect(dialer.roundTrip == 30 * ms)
        #expect(secure.seal(.challenge(0x1122_3344_5566_7788), at: 0x01_0203_0405).datagram == up)
        let opened = try secure.open(down, at: 0)
        #expect(opened == .init(sequence: 5, sentAt: 7, frame: .response(0x1122_3344_5566_7788), isNewest: true))
        #expect(secure.seal(.probe(bytes: 0), at: 0x01_0203_0405 + 600 * second).datagram == upLater)
    }

    @Test("the acceptor's messages are these bytes, and it opens these datagrams")
    func acceptor() throws {
        let script = [[UInt8](repeating: 0x77, count: 32), [UInt8](repeating: 0x51, count: 32), [0x0a, 0xbc, 0xde]]
        var acceptor = Acceptor(key: streamKey, crypto: ScriptedRandom(script).crypto, at: 1000 * second)
        #expect(acceptor.take(hello, from: home, at: 1003 * second).answer == retry)
        #expect(acceptor.take(open, from: home, at: 1004 * second).answer == accept)
        let first = try #require(acceptor.take(up, from: home, at: 1005 * second).frame)
        #expect(first.opened == .init(sequence: 0, sentAt: 0x0203_0405, frame: .challenge(0x1122_3344_5566_7788), isNewest: true))
        let later = try #require(acceptor.take(upLater, from: home, at: 1600 * second).frame)
        #expect(later.opened == .init(sequence: 1, sentAt: 0x25c6_4a05, frame: .probe(bytes: 29), isNewest: true))
    }

    @Test("a refusal is these bytes")
    func refusal() {
        var dialer = Dialer(key: streamKey, session: session, link: link(2), crypto: ScriptedRandom([random]).crypto)
        _ = dialer.start(at: 0)
        #expect(dialer.take(refuse, at: 0).refusal == .sessionBusy)
    }
}
