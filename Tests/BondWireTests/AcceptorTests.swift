import Crypto
import Testing

@testable import BondWire

@Suite struct AcceptorTests {
    private let probe = Frame.probe(bytes: 0)

    @Test("an association counts from its first datagram: until then the older link goes on")
    func pending() throws {
        var acceptor = Acceptor()
        let session = SessionID(crypto)
        let old = try acceptor.live(session: session)
        let new = try acceptor.dialled(session: session)
        #expect(acceptor.take(old.seal(probe, at: 0).datagram, from: home, at: 0).frame?.change == nil)
        #expect(acceptor.connection(of: link(2)) == old.connection)
        #expect(acceptor.take(new.seal(probe, at: 0).datagram, from: home, at: 0).frame?.change == .opened)
        #expect(acceptor.connection(of: link(2)) == new.connection)
        #expect(acceptor.take(old.seal(probe, at: 0).datagram, from: home, at: 0).dropped == .unknownConnection)
    }

    @Test("another session is refused while the one that is there was heard within 500 ms, and replaces it when it is silent")
    func sessions() throws {
        var acceptor = Acceptor()
        let old = try acceptor.live(1)
        _ = try acceptor.live(3, session: try #require(acceptor.session))
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(1), crypto: crypto)
        let retry = try #require(acceptor.take(dialer.start(at: 0), from: away, at: 499 * ms).answer)
        let open = try #require(dialer.take(retry, at: 0).sent)
        let refusal = try #require(acceptor.take(open, from: away, at: 499 * ms).answer)
        #expect(dialer.take(refusal, at: 499 * ms).refusal == .sessionBusy)
        #expect(dialer.nextTick == 1499 * ms)
        let accept = try #require(acceptor.take(open, from: away, at: 500 * ms).answer)
        // It has given up on this random: it begins anew by itself.
        #expect(dialer.take(accept, at: 500 * ms).link == nil)
        let new = try acceptor.live(1, from: away, at: 600 * ms)
        #expect(acceptor.links == [link(1)])
        #expect(acceptor.take(old.seal(probe, at: 0).datagram, from: home, at: 600 * ms).dropped == .unknownConnection)
        #expect(acceptor.take(new.seal(probe, at: 0).datagram, from: away, at: 600 * ms).frame != nil)
    }

    @Test("a session that was let in while another was silent is told goodbye if that one is back")
    func sessionBack() throws {
        var acceptor = Acceptor()
        let old = try acceptor.live()
        let new = try acceptor.dialled(from: away, at: 700 * ms)
        #expect(acceptor.take(old.seal(probe, at: 0).datagram, from: home, at: 710 * ms).frame != nil)
        let goodbye = try #require(acceptor.take(new.seal(probe, at: 0).datagram, from: away, at: 720 * ms).answer)
        #expect(try new.open(goodbye, at: 0).frame == .goodbye(.sessionBusy))
        #expect(acceptor.connection(of: link(2)) == old.connection)
    }

    @Test("sixty-four associations wait at most; what waits is forgotten after ten seconds")
    func full() throws {
        var acceptor = Acceptor()
        let session = SessionID(crypto)
        func open(_ now: Microseconds) throws -> UInt8? {
            var dialer = Dialer(key: streamKey, session: session, link: link(1), crypto: crypto)
            let retry = try #require(acceptor.take(dialer.start(at: now), from: home, at: now).answer)
            let open = try #require(dialer.take(retry, at: now).sent)
            return acceptor.take(open, from: home, at: now).answer?.first
        }
        for _ in 0..<64 { #expect(try open(0) == Handshake.Kind.accept.rawValue) }
        #expect(try open(9 * second) == Handshake.Kind.refuse.rawValue)
        #expect(try open(10 * second) == Handshake.Kind.accept.rawValue)
    }

    @Test("a goodbye closes its link, or ends the session; another session may come at once")
    func goodbyes() throws {
        var acceptor = Acceptor()
        let first = try acceptor.live(1)
        let second = try acceptor.live(2, session: try #require(acceptor.session))
        #expect(acceptor.take(first.seal(.goodbye(.linkClosed), at: 0).datagram, from: home, at: 0).frame?.change == .closed)
        #expect(acceptor.links == [link(2)])
        #expect(acceptor.take(second.seal(.goodbye(.sessionEnded), at: 0).datagram, from: home, at: 0).frame?.change == .ended)
        #expect(acceptor.links == [] && acceptor.session == nil)
        _ = try acceptor.live(5, from: away)
    }

    @Test("a receiver that has ended says goodbye to each link and refuses who comes")
    func ended() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        let goodbyes = acceptor.end(at: 0)
        #expect(goodbyes.map(\.address) == [home])
        #expect(try secure.open(goodbyes[0].datagram, at: 0).frame == .goodbye(.streamEnded))
        var dialer = Dialer(key: streamKey, session: SessionID(crypto), link: link(2), crypto: crypto)
        let retry = try #require(acceptor.take(dialer.start(at: 0), from: home, at: 0).answer)
        let open = try #require(dialer.take(retry, at: 0).sent)
        let refusal = try #require(acceptor.take(open, from: home, at: 0).answer)
        #expect(dialer.take(refusal, at: 0).refusal == .ended)
        #expect(dialer.nextTick == nil)
    }

    @Test("a link that has said nothing for half a minute is told nothing until it says something, and the others go on")
    func quiet() throws {
        var acceptor = Acceptor()
        let quiet = try acceptor.live(1)
        let other = try acceptor.live(2, session: try #require(acceptor.session))
        _ = acceptor.take(other.seal(probe, at: 0).datagram, from: home, at: 29 * second)
        #expect(acceptor.seal(.challenge(1), for: link(1), at: 29 * second) != nil)
        #expect(acceptor.seal(.challenge(1), for: link(1), at: 30 * second) == nil)
        #expect(acceptor.seal(.challenge(1), for: link(2), at: 30 * second) != nil)
        #expect(acceptor.figures.withheld == 1)
        #expect(acceptor.take(quiet.seal(probe, at: 0).datagram, from: home, at: 3600 * second).frame != nil)
        #expect(acceptor.seal(.challenge(1), for: link(1), at: 3600 * second) != nil)
    }

    @Test("of 20,000 datagrams without a valid key none is accepted, and every good one between them is")
    func junk() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        let recorded = secure.seal(.media([1]), at: 0).datagram
        _ = acceptor.take(recorded, from: home, at: 0)
        var dice = Dice(state: 11)
        var (good, dropped) = (0, 0)
        for number in 0..<20_000 {
            var junk = (0..<Int.random(in: 0...120, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
            // What an observer can make: the right head, the right connection, the right stream, or the same again.
            switch number % 5 {
            case 0 where junk.count >= 8: junk.replaceSubrange(..<8, with: recorded[..<8])
            case 1 where junk.count >= 76:
                junk = Array(junk[..<76])
                junk.replaceSubrange(..<12, with: [0x10, 1, 2, 0] + streamKey.stream)
            case 2: junk = recorded
            case 3:
                junk = recorded
                junk[7] = UInt8.random(in: 0...255, using: &dice)
            default: break
            }
            if acceptor.take(junk, from: away, at: 0).dropped != nil { dropped += 1 }
            if number % 100 == 0, acceptor.take(secure.seal(.media([2]), at: 0).datagram, from: home, at: 0).frame != nil { good += 1 }
        }
        #expect(dropped == 20_000)
        #expect(good == 200)
        #expect(acceptor.figures.accepted == 202)
        #expect(acceptor.address(of: link(2)) == home)
    }
}

@Suite struct PathTests {
    private let probe = Frame.probe(bytes: 0)

    @Test("an authentic newer datagram from another address moves the path there; a challenge goes with it and its response proves it")
    func moves() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        let step = try #require(acceptor.take(secure.seal(probe, at: 0).datagram, from: away, at: ms).frame)
        #expect(step.change == .moved)
        #expect(acceptor.address(of: link(2)) == away)
        guard case .challenge(let number) = try secure.open(try #require(step.answers.first), at: 0).frame else {
            Issue.record("no challenge")
            return
        }
        #expect(acceptor.seal(probe, for: link(2), at: 2 * ms)?.address == away)
        #expect(acceptor.seal(probe, for: link(2), at: 2 * ms) == nil, "29 bytes came, 37 and 29 went, another 29 are too many")
        #expect(acceptor.figures.withheld == 1)
        _ = acceptor.take(secure.seal(.response(number), at: 0).datagram, from: away, at: 3 * ms)
        for _ in 0..<100 { #expect(acceptor.seal(probe, for: link(2), at: 5 * second)?.address == away) }
    }

    @Test("a wrong response proves nothing, and after a second datagrams go to the proven address again")
    func unproven() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        _ = acceptor.take(secure.seal(probe, at: 0).datagram, from: away, at: 0)
        _ = acceptor.take(secure.seal(.response(0), at: 0).datagram, from: away, at: 0)
        #expect(acceptor.seal(.probe(bytes: 500), for: link(2), at: 999 * ms) == nil)
        #expect(acceptor.seal(.probe(bytes: 500), for: link(2), at: 1000 * ms)?.address == home)
    }

    @Test("an older datagram from another address, and a replayed one, move nothing")
    func late() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        let (older, newer) = (secure.seal(probe, at: 0).datagram, secure.seal(probe, at: 0).datagram)
        _ = acceptor.take(newer, from: home, at: 0)
        #expect(acceptor.take(older, from: away, at: 0).frame?.change == nil)
        #expect(acceptor.take(newer, from: away, at: 0).dropped == .replayed)
        #expect(acceptor.address(of: link(2)) == home)
    }

    @Test("the sender is followed back to its proven address without a challenge")
    func back() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        _ = acceptor.take(secure.seal(probe, at: 0).datagram, from: away, at: 0)
        let step = try #require(acceptor.take(secure.seal(probe, at: 0).datagram, from: home, at: 0).frame)
        #expect(step.change == .moved && step.answers.isEmpty)
        #expect(acceptor.seal(.probe(bytes: 1400), for: link(2), at: 0)?.address == home)
    }

    @Test("while no response comes the challenge goes out again, each 100 ms")
    func again() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        var challenges: [Microseconds] = []
        for now in stride(from: 0, to: 350 * ms, by: 10_000) {
            let step = try #require(acceptor.take(secure.seal(probe, at: now).datagram, from: away, at: now).frame)
            if !step.answers.isEmpty { challenges.append(now / ms) }
        }
        #expect(challenges == [0, 100, 200, 300])
    }

    @Test("a challenge of the sender is answered at once")
    func response() throws {
        var acceptor = Acceptor()
        let secure = try acceptor.live()
        let step = try #require(acceptor.take(secure.seal(.challenge(77), at: 0).datagram, from: home, at: 0).frame)
        #expect(try secure.open(try #require(step.answers.first), at: 0).frame == .response(77))
    }
}
