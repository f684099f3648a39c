import Crypto
import Testing

@testable import BondWire

/// Two ends and what is under way between them.
private struct Channel {
    var acceptor = Acceptor()
    var dialer: Dialer
    var dice: Dice
    let loss: Double
    private var underWay: [(at: Microseconds, isUp: Bool, bytes: [UInt8])] = []
    private(set) var up: SecureLink?

    init(seed: UInt64, loss: Double) {
        dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        dice = Dice(state: seed &* 0x9e37_79b9_7f4a_7c15)
        self.loss = loss
    }

    /// Lost, or once or twice under way for 1 to 300 ms: so in any order.
    private mutating func send(_ bytes: [UInt8], isUp: Bool, at now: Microseconds) {
        for _ in 0..<Int.random(in: 1...2, using: &dice) where Double.random(in: 0..<1, using: &dice) >= loss {
            underWay.append((now + Microseconds.random(in: 1...300, using: &dice) * ms, isUp, bytes))
        }
    }

    /// - Returns: when the receiver's first frame came to it.
    mutating func run(until end: Microseconds) -> Microseconds? {
        send(dialer.start(at: 0), isUp: true, at: 0)
        for now in stride(from: 0, through: end, by: 1000) {
            if let again = dialer.tick(at: now) { send(again, isUp: true, at: now) }
            // The owner probes an open link each 100 ms.
            if let up, now % (100 * ms) == 0 { send(up.seal(.probe(bytes: 0), at: now).datagram, isUp: true, at: now) }
            let due = underWay.filter { $0.at <= now }
            underWay.removeAll { $0.at <= now }
            for (_, isUp, bytes) in due {
                if isUp {
                    switch acceptor.take(bytes, from: home, at: now) {
                    case .answer(let answer): send(answer, isUp: false, at: now)
                    case .frame: return now
                    case .dropped: break
                    }
                } else {
                    switch dialer.take(bytes, at: now) {
                    case .send(let bytes): send(bytes, isUp: true, at: now)
                    case .open(let link): up = link
                    case .refused, .nothing: break
                    }
                }
            }
        }
        return nil
    }
}

@Suite struct HandshakeTests {
    @Test("it comes through loss, duplicates and disorder", arguments: [0, 0.1, 0.3, 0.6])
    func unreliable(_ loss: Double) throws {
        var times: [Microseconds] = []
        for seed in 1...60 {
            var channel = Channel(seed: UInt64(seed), loss: loss)
            let time = channel.run(until: 60 * second)
            times.append(try #require(time, "seed \(seed)"))
            #expect(channel.acceptor.figures[.replayed] == 0 && channel.acceptor.figures[.notAuthentic] == 0)
        }
        print("measured: handshake at \(loss) loss: median \(times.sorted()[30] / ms) ms, worst \(times.max()! / ms) ms")
    }

    @Test("a message is sent again after 100, 200, 400, 800 and then 1,000 ms")
    func backoff() {
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let hello = dialer.start(at: 0)
        var times: [Microseconds] = []
        for now in stride(from: 0, through: 4600 * ms, by: 1000) where dialer.tick(at: now) == hello { times.append(now / ms) }
        #expect(times == [100, 300, 700, 1500, 2500, 3500, 4500])
    }

    @Test("no answer is longer than its question, and none is sent to what is not authentic")
    func amplification() throws {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let hello = dialer.start(at: 0)
        let retry = try #require(acceptor.take(hello, from: home, at: 0).answer)
        let open = try #require(dialer.take(retry, at: 0).sent)
        for question in [hello, open] {
            for bit in 0..<question.count * 8 {
                var bad = question
                bad[bit / 8] ^= 1 << (bit % 8)
                #expect(acceptor.take(bad, from: home, at: 0).dropped != nil)
            }
            for count in 0..<question.count { #expect(acceptor.take(Array(question[..<count]), from: home, at: 0).dropped == .malformed) }
        }
        let accept = try #require(acceptor.take(open, from: home, at: 0).answer)
        #expect(retry.count <= hello.count && accept.count <= open.count)
        for kind in [Handshake.Kind.refuse, .retry] { #expect(kind.byteCount <= Handshake.Kind.hello.byteCount) }
    }

    @Test("an answer with any bit changed moves the dialler nowhere")
    func tamperedAnswers() throws {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let retry = try #require(acceptor.take(dialer.start(at: 0), from: home, at: 0).answer)
        for bit in 0..<retry.count * 8 {
            var bad = retry
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(dialer.take(bad, at: 0).sent == nil)
        }
        let open = try #require(dialer.take(retry, at: 0).sent)
        let accept = try #require(acceptor.take(open, from: home, at: 0).answer)
        for bit in 0..<accept.count * 8 {
            var bad = accept
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(dialer.take(bad, at: 0).link == nil)
        }
        #expect(dialer.take(accept, at: 0).link != nil)
    }

    @Test("an old conversation replayed to a new dialler opens nothing, and refuses nothing")
    func replayedAnswers() throws {
        let session = SessionID(crypto)
        var acceptor = Acceptor()
        var first = Dialer(key: streamKey, session: session, link: link(1), crypto: crypto)
        let retry = try #require(acceptor.take(first.start(at: 0), from: home, at: 0).answer)
        let open = try #require(first.take(retry, at: 0).sent)
        let accept = try #require(acceptor.take(open, from: home, at: 0).answer)
        var second = Dialer(key: streamKey, session: session, link: link(1), crypto: crypto)
        let ownRetry = try #require(acceptor.take(second.start(at: 0), from: home, at: 0).answer)
        #expect(second.take(retry, at: 0).sent == nil)
        #expect(second.take(ownRetry, at: 0).sent != nil)
        #expect(second.take(accept, at: 0).link == nil)
    }

    @Test("a sender with another key gets no answer, and its datagrams count as another stream's")
    func otherKey() {
        var acceptor = Acceptor()
        let other = StreamKey([UInt8](1...32), crypto)!
        var dialer = Dialer(key: other, session: SessionID(crypto), link: link(1), crypto: crypto)
        #expect(acceptor.take(dialer.start(at: 0), from: home, at: 0).dropped == .unknownStream)
        var forged = dialer.start(at: 0)
        forged.replaceSubrange(4..<12, with: streamKey.stream)
        #expect(acceptor.take(forged, from: home, at: 0).dropped == .notAuthentic)
    }

    @Test("a stream key has at least 16 bytes, and does not print")
    func keys() {
        #expect(StreamKey([UInt8](repeating: 1, count: 15), crypto) == nil)
        #expect(StreamKey([UInt8](repeating: 1, count: 16), crypto) != nil)
        #expect("\(streamKey)" == "•••" && Mirror(reflecting: streamKey).children.isEmpty)
    }

    @Test("a cookie is good from its own address, for ten seconds, and only at the receiver that made it")
    func cookies() throws {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let retry = try #require(acceptor.take(dialer.start(at: 0), from: home, at: 0).answer)
        let open = try #require(dialer.take(retry, at: 0).sent)
        #expect(acceptor.take(open, from: away, at: 0).dropped == .badCookie)
        #expect(acceptor.take(open, from: home, at: 12 * second).dropped == .badCookie)
        var other = Acceptor()
        #expect(other.take(open, from: home, at: 0).dropped == .badCookie)
        #expect(acceptor.take(open, from: home, at: 10 * second).answer != nil)
    }

    @Test("the same `open` is answered with the same accept, before and after the link is live")
    func repeatedOpen() throws {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let retry = try #require(acceptor.take(dialer.start(at: 0), from: home, at: 0).answer)
        let open = try #require(dialer.take(retry, at: 0).sent)
        let accept = try #require(acceptor.take(open, from: home, at: 0).answer)
        #expect(acceptor.take(open, from: home, at: ms).answer == accept)
        let secure = try #require(dialer.take(accept, at: 0).link)
        _ = acceptor.take(secure.seal(.probe(bytes: 0), at: 0).datagram, from: home, at: 0)
        #expect(acceptor.take(open, from: home, at: ms).answer == accept)
        #expect(acceptor.take(secure.seal(.probe(bytes: 0), at: 0).datagram, from: home, at: 0).frame?.change == nil)
    }

    @Test("a dialler whose open stays without answer begins anew before its cookie is too old")
    func staleCookie() throws {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let hello = dialer.start(at: 0)
        let retry = try #require(acceptor.take(hello, from: home, at: 0).answer)
        let open = try #require(dialer.take(retry, at: 0).sent)
        var kinds: [UInt8] = []
        for now in stride(from: 0, through: 10 * second, by: 1000) {
            if let again = dialer.tick(at: now) { kinds.append(again[0]) }
        }
        #expect(kinds.first == open[0] && kinds.contains(hello[0]))
    }

    @Test("a hello that was recorded is answered eight times in a second, whatever address it claims")
    func recordedHello() {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let hello = dialer.start(at: 0)
        let answers = (0..<20000).filter { acceptor.take(hello, from: [UInt8($0 & 255), UInt8($0 >> 8)], at: 0).answer != nil }.count
        #expect(answers == 8)
        #expect(acceptor.figures[.tooMany] == 19992)
        // Another sender's hello in the same second is answered.
        #expect(acceptor.take(dialer.start(at: 0), from: home, at: 0).answer != nil)
        #expect(acceptor.take(hello, from: home, at: second).answer != nil)
    }

    @Test("all that is answered in a second, with any number of recorded hellos, is a thousand")
    func manyHellos() {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let answers = (0..<5000).filter { _ in acceptor.take(dialer.start(at: 0), from: home, at: 0).answer != nil }.count
        #expect(answers == 1000)
    }

    @Test("a hello of another version is refused with the version that is spoken, and the dialler stops")
    func version() throws {
        var acceptor = Acceptor()
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        var hello = Array(dialer.start(at: 0).dropLast(16))
        hello[1] = 9
        let refuse = try #require(acceptor.take(streamKey.signing(hello, crypto), from: home, at: 0).answer)
        #expect(refuse.count == 52 && refuse[0] == 0x14 && refuse[1] == 1)
        #expect(dialer.take(refuse, at: 0).refusal == .version)
        #expect(dialer.nextTick == nil)
    }
}
