import BondWire
import Posix
import STUN
import Testing

@testable import ICE

@Suite struct PathTests {
    @Test("the last nomination has the media, at once")
    func nominations() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        #expect(agent.take(peer.check(), path(1)).change == .connected(path(1)))
        #expect(agent.take(peer.check(.asking), path(2), at: 1).change == nil)
        #expect(agent.destination(of: peer.session) == path(1))
        #expect(agent.take(peer.check(), path(2), at: 2).change == .moved(from: path(1), to: path(2)))
        #expect(agent.take(peer.check(), path(2), at: 3).change == nil)
        #expect(agent.destination(of: peer.session) == path(2) && Set(agent.paths(of: peer.session)) == [path(1), path(2)])
    }

    @Test("the same address on another socket is another path")
    func sockets() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(socket: 1))
        #expect(agent.session(by: path(socket: 2)) == nil)
        #expect(agent.take(peer.check(), path(socket: 2)).change == .moved(from: path(socket: 1), to: path(socket: 2)))
    }

    @Test("a browser whose address changes has its media 1.5 s later: it checks and nominates by itself")
    func addressChange() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(1))
        // Media each 20 ms from the old address, then from the new one, which is known after 150 ms and nominated 350 ms later.
        var back: Microseconds?
        for tick in 0..<300 {
            let now = Microseconds(tick) * 20 * ms
            if now < 3 * second { agent.used(path(1), by: peer.session, at: now) }
            if now == 3160 * ms { _ = agent.take(peer.check(.asking), path(2), at: now) }
            if now == 3500 * ms { _ = agent.take(peer.check(), path(2), at: now) }
            if now >= 3 * second, back == nil, agent.destination(of: peer.session) == path(2) { back = now }
        }
        #expect(back == 3500 * ms)
    }

    @Test("a peer that nominates only once is followed by its media when a translator gives it another address")
    func rebinding() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(1))
        agent.used(path(1), by: peer.session, at: 0)
        // From nowhere that a check proved: nothing.
        #expect(agent.used(path(2), by: peer.session, at: 1200 * ms) == nil)
        _ = agent.take(peer.check(.asking), path(2), at: 1200 * ms)
        #expect(agent.used(path(2), by: peer.session, at: 1220 * ms) == .moved(from: path(1), to: path(2)))
        #expect(agent.destination(of: peer.session) == path(2))
    }

    @Test("media over another path move nothing while they come over the one that was nominated")
    func bothPaths() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(.asking), path(2))
        _ = agent.take(peer.check(), path(1))
        for tick in 0..<200 {
            let now = Microseconds(tick) * 20 * ms
            #expect(agent.used(path(1), by: peer.session, at: now) == nil && agent.used(path(2), by: peer.session, at: now) == nil)
        }
        #expect(agent.destination(of: peer.session) == path(1))
        #expect(agent.used(path(2), by: peer.session, at: 3980 * ms + 999 * ms) == nil)
        #expect(agent.used(path(2), by: peer.session, at: 3980 * ms + 1000 * ms) != nil)
    }

    @Test("media before a nomination choose no path")
    func unnominated() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(.asking), path())
        #expect(agent.used(path(), by: peer.session, at: 20 * second) == nil && agent.destination(of: peer.session) == nil)
    }

    @Test("media that go on over the old path take a nomination back within a second: who repeats a check cannot keep the media")
    func stolen() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(1))
        agent.used(path(1), by: peer.session, at: 5 * second)
        // A check that was caught on its way and never arrived: it is authentic, from a thief's address.
        let caught = peer.check()
        #expect(agent.take(caught, path(66), at: 10 * second).change == .moved(from: path(1), to: path(66)))
        #expect(agent.used(path(1), by: peer.session, at: 10_980 * ms) == nil)
        #expect(agent.used(path(1), by: peer.session, at: 11 * second) == .moved(from: path(66), to: path(1)))
    }

    @Test("a check that came before moves nothing: from elsewhere it gets no answer, from the same place the same one")
    func repeated() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        let check = peer.check()
        let first = agent.take(check, path(1))
        #expect(agent.take(peer.check(), path(2)).change != nil)
        let elsewhere = agent.take(check, path(66), at: 1)
        #expect(elsewhere.refusal == .replayed && elsewhere.answer == nil)
        #expect(agent.session(by: path(66)) == nil)
        let again = agent.take(check, path(1), at: 1)
        #expect(again.answer == first.answer && again.change == nil && again.session == peer.session)
        #expect(agent.destination(of: peer.session) == path(2))
        // Nor does it keep a session alive whose other end is gone.
        #expect(agent.take(check, path(1), at: 29 * second).answer != nil)
        #expect(agent.advance(to: 30 * second) == [.expired(peer.session)])
    }

    @Test("256 checks are remembered")
    func remembered() throws {
        var agent = LiteAgent { $0.answers = 1000 }
        var peer = try Peer(in: &agent)
        let checks = (0..<257).map { _ in peer.check(.asking) }
        for check in checks { _ = agent.take(check, path(1)) }
        for check in checks[1...] { #expect(agent.take(check, path(2)).refusal == .replayed) }
        #expect(agent.take(checks[0], path(2)).session == peer.session)
    }

    @Test("a session has so many paths: a new one takes the place of the quietest, and never of that of the media")
    func bound() throws {
        var agent = LiteAgent { $0.paths = 3 }
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(1), at: 0)
        for host in 2...3 { _ = agent.take(peer.check(.asking), path(host), at: Microseconds(host)) }
        _ = agent.take(peer.check(.asking), path(2), at: 10)
        _ = agent.take(peer.check(.asking), path(4), at: 11)
        #expect(agent.paths(of: peer.session) == [path(1), path(2), path(4)] && agent.session(by: path(3)) == nil)
        for host in 5...200 {
            _ = agent.take(peer.check(.asking), path(host), at: Microseconds(host) * ms)
            #expect(agent.pathCount == 3 && agent.destination(of: peer.session) == path(1))
        }
        #expect(agent.session(by: path(200)) == peer.session && agent.session(by: path(1)) == peer.session)
    }

    @Test("one path alone can be moved")
    func onlyOne() throws {
        var agent = LiteAgent { $0.paths = 1 }
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(.asking), path(1))
        #expect(agent.take(peer.check(), path(2)).change == .connected(path(2)))
        #expect(agent.paths(of: peer.session) == [path(2)] && agent.pathCount == 1)
    }

    @Test("a participant who forges another's source does not get the other's path, nor an answer; one that is long quiet is given on")
    func takeover() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        var thief = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(1))
        let step = agent.take(thief.check(), path(1), at: 7999 * ms)
        #expect(step.refusal == .pathTaken && step.answer == nil)
        #expect(agent.session(by: path(1)) == peer.session && agent.destination(of: thief.session) == nil)
        #expect(agent.take(thief.check(), path(1), at: 8 * second).change == .connected(path(1)))
        #expect(agent.session(by: path(1)) == thief.session && agent.destination(of: peer.session) == nil && agent.pathCount == 1)
        let lapses = agent.advance(to: 8 * second)
        #expect(lapses.contains(.moved(peer.session, from: path(1), to: nil)))
        #expect(agent.paths(of: peer.session) == [])
    }

    @Test("a path that is closed is forgotten; the media go on over the one that was nominated and heard last")
    func lost() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        for host in 1...3 { _ = agent.take(peer.check(host == 2 ? .asking : .nominating), path(host), at: Microseconds(host)) }
        _ = agent.take(peer.check(), path(4), at: 4)
        _ = agent.take(peer.check(.asking), path(1), at: 5)
        #expect(agent.lose(path(4), at: 6) == .moved(peer.session, from: path(4), to: path(1)))
        #expect(agent.lose(path(4), at: 6) == nil && agent.lose(path(3), at: 6) == nil)
        #expect(agent.lose(path(1), at: 6) == .moved(peer.session, from: path(1), to: nil))
        #expect(agent.destination(of: peer.session) == nil && agent.session(by: path(2)) == peer.session)
        #expect(agent.take(peer.check(), path(2), at: 7).change == .connected(path(2)))
    }
}
