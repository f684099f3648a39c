import BondWire
import STUN
import Testing

@testable import ICE

@Suite struct LifeTests {
    @Test("a session that nobody ever checks is over after thirty seconds")
    func unclaimed() throws {
        var agent = LiteAgent()
        let peer = try Peer(in: &agent, at: 5 * second)
        #expect(agent.advance(to: 34_999 * ms) == [.quiet(peer.session)])
        #expect(agent.advance(to: 35 * second) == [.expired(peer.session)])
        #expect(agent.count == 0 && agent.advance(to: 99 * second) == [])
    }

    @Test("checks keep a session alive; it goes quiet after eight seconds, and expires after thirty")
    func consent() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        for tick in 0..<20 {
            _ = agent.take(peer.check(), path(), at: Microseconds(tick) * 5 * second)
            #expect(agent.advance(to: Microseconds(tick) * 5 * second + 4 * second) == [])
        }
        let last = 95 * second
        #expect(agent.advance(to: last + 7999 * ms) == [])
        #expect(agent.advance(to: last + 8 * second) == [.quiet(peer.session)])
        #expect(agent.advance(to: last + 29_999 * ms) == [])
        #expect(agent.destination(of: peer.session) == path())
        #expect(agent.advance(to: last + 30 * second) == [.expired(peer.session)])
        #expect(agent.session(by: path()) == nil && agent.destination(of: peer.session) == nil && agent.pathCount == 0)
        #expect(agent.take(peer.check(), path(), at: last + 30 * second).refusal == .unknownUser)
    }

    @Test("a session that was quiet is back with a check, or with media")
    func back() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path())
        #expect(agent.advance(to: 9 * second) == [.quiet(peer.session)])
        _ = agent.take(peer.check(), path(), at: 10 * second)
        #expect(agent.advance(to: 10 * second) == [.back(peer.session)])
        #expect(agent.advance(to: 19 * second) == [.quiet(peer.session)])
        agent.used(path(), by: peer.session, at: 20 * second)
        #expect(agent.advance(to: 20 * second) == [.back(peer.session)])
    }

    @Test("media alone keep a session and its path; a path that nothing comes over dies by itself")
    func media() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(.asking), path(2))
        _ = agent.take(peer.check(), path(1))
        for tick in 1..<100 {
            agent.used(path(1), by: peer.session, at: Microseconds(tick) * second)
            #expect(agent.advance(to: Microseconds(tick) * second) == [])
            #expect((agent.session(by: path(2)) == nil) == (tick >= 30))
        }
    }

    @Test("when the path of the media dies, one that was nominated before has its place")
    func pathDies() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(1))
        _ = agent.take(peer.check(), path(2), at: 1)
        for tick in 1..<8 { _ = agent.take(peer.check(.asking), path(1), at: Microseconds(tick) * 4 * second) }
        _ = agent.take(peer.check(.asking), path(3), at: 28 * second)
        #expect(agent.advance(to: 30 * second) == [])
        #expect(agent.advance(to: 30 * second + 1) == [.moved(peer.session, from: path(2), to: path(1))])
        #expect(agent.destination(of: peer.session) == path(1) && agent.session(by: path(2)) == nil)
    }

    @Test("media that a stranger or a closed session brings are nobody's")
    func strangers() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        var other = try Peer(in: &agent)
        _ = agent.take(peer.check(), path(1))
        _ = agent.take(other.check(), path(2))
        agent.used(path(2), by: peer.session, at: 29 * second)
        agent.close(other.session)
        agent.used(path(2), by: other.session, at: 29 * second)
        #expect(agent.advance(to: 30 * second) == [.expired(peer.session)])
    }

    @Test("a slot is used again by a session with another number and another fragment; what comes for the old one is a stranger's")
    func slots() throws {
        var agent = LiteAgent { $0.sessions = 1 }
        var old = try Peer(in: &agent)
        _ = agent.take(old.check(), path(1))
        #expect(agent.open(at: 0) == nil && agent.count == 1)
        agent.close(old.session)
        agent.close(old.session)
        #expect(agent.count == 0 && agent.pathCount == 0)
        var new = try Peer(in: &agent)
        #expect(new.session.slot == old.session.slot && new.session != old.session && new.ours != old.ours)
        #expect(agent.take(old.check(), path(1)).refusal == .unknownUser)
        #expect(agent.take(new.check(), path(2)).session == new.session)
        agent.close(old.session)
        #expect(agent.restart(old.session) == nil && !agent.learn(old.session, remoteUfrag: "abcd") && agent.paths(of: old.session) == [])
        #expect(agent.used(path(2), by: old.session, at: 0) == nil && agent.destination(of: old.session) == nil)
        #expect(agent.destination(of: new.session) == path(2))
    }

    @Test("fragments and passwords are of ICE's characters, as long as they must be, and no two are the same")
    func credentials() throws {
        var agent = LiteAgent()
        var seen: Set<String> = []
        for _ in 0..<500 {
            let peer = try agent.opened()
            let again = try agent.restarted(peer, from: 0)
            for one in [peer.ours, again.ours] {
                let password = one.password.revealed
                #expect(one.ufrag.utf8.count == 8 && password.utf8.count == 24)
                let isText = (one.ufrag + password).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "/") }
                #expect(isText)
                #expect(seen.insert(String(one.ufrag.suffix(5))).inserted)
                #expect(seen.insert(password).inserted)
            }
        }
    }

    @Test("every slot that fits into a fragment comes out of it again")
    func slotText() {
        for slot in stride(from: 0, to: ICEText.slotLimit, by: 97) {
            let text = ICEText.ufrag(slot: slot, random: [1, 2, 3, 4, 255])
            #expect(ICEText.slot(of: text.span, at: 0) == slot && text.count == 8)
        }
    }
}

@Suite struct RestartTests {
    @Test("after a restart both credentials are good until three seconds after the first check with the new ones; the path stays")
    func overlap() throws {
        var agent = LiteAgent()
        var old = try Peer(in: &agent)
        _ = agent.take(old.check(), path(1))
        var new = try agent.restarted(old, from: 1000)
        new.ufrag = "newer"
        #expect(agent.learn(old.session, remoteUfrag: "newer") == true)
        #expect(agent.destination(of: old.session) == path(1) && new.ours != old.ours)
        for tick in 1..<20 {
            #expect(agent.take(old.check(), path(1), at: Microseconds(tick) * 5 * second).answer != nil)
            #expect(agent.advance(to: Microseconds(tick) * 5 * second) == [])
        }
        // The fragments of before belong to the credentials of before.
        #expect(agent.take(old.check(username: "\(old.ours.ufrag):newer"), path(1), at: 100 * second).refusal == .unknownUser)
        #expect(agent.take(new.check(username: "\(new.ours.ufrag):theirs"), path(1), at: 100 * second).refusal == .unknownUser)
        #expect(agent.take(new.check(password: old.ours.password.revealed), path(1), at: 100 * second).refusal == .notAuthentic)
        #expect(agent.take(new.check(), path(2), at: 100 * second).change == .moved(from: path(1), to: path(2)))
        #expect(agent.take(old.check(), path(1), at: 102_999 * ms).answer != nil)
        #expect(agent.take(old.check(), path(1), at: 103 * second).refusal == .unknownUser)
        _ = agent.advance(to: 103 * second)
        #expect(agent.take(old.check(), path(1), at: 104 * second).refusal == .unknownUser)
        #expect(agent.take(new.check(), path(2), at: 104 * second).answer != nil)
    }

    @Test("once the new credentials have nominated, the old ones nominate nothing; until then they do")
    func oldNominations() throws {
        var agent = LiteAgent()
        var old = try Peer(in: &agent)
        _ = agent.take(old.check(), path(1))
        var new = try agent.restarted(old, from: 1000)
        #expect(agent.take(old.check(), path(2)).change == .moved(from: path(1), to: path(2)))
        _ = agent.take(new.check(.asking), path(3))
        #expect(agent.take(old.check(), path(1)).change == .moved(from: path(2), to: path(1)))
        #expect(agent.take(new.check(), path(3)).change == .moved(from: path(1), to: path(3)))
        #expect(agent.take(old.check(), path(1)).change == nil && agent.destination(of: old.session) == path(3))
    }

    @Test("of three restarts that the other end did not see, the credentials in use and the last two are good")
    func unseen() throws {
        var agent = LiteAgent()
        var peers = [try Peer(in: &agent)]
        _ = agent.take(peers[0].check(), path(1))
        for number in 1...3 {
            peers.append(try agent.restarted(peers[0], from: UInt64(number) * 100))
        }
        #expect(agent.take(peers[0].check(), path(1)).answer != nil)
        #expect(agent.take(peers[1].check(), path(1)).refusal == .unknownUser)
        #expect(agent.take(peers[2].check(), path(1)).answer != nil)
        // Now the first ones end: two more restarts drop them, and not those in use.
        for number in 4...5 {
            peers.append(try agent.restarted(peers[0], from: UInt64(number) * 100))
        }
        #expect(agent.take(peers[0].check(), path(1)).refusal == .unknownUser)
        #expect(agent.take(peers[2].check(), path(1)).answer != nil)
        #expect(agent.take(peers[5].check(), path(1)).answer != nil)
    }
}

@Suite struct FloodTests {
    @Test("one network gets ten errors in a second, and all together five hundred; a session's own checks are answered meanwhile")
    func refusals() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        func errors(_ hosts: Range<Int>, _ each: Int, at now: Microseconds) -> Int {
            var count = 0
            for host in hosts {
                for port in 0..<each
                where agent.take(
                    peer.check(username: "AAAAAAAA:b"), Path(socket: 0, remote: .init("10.1.\(host / 200).\(host % 200)", port: 1 + port)!),
                    at: now
                ).answer != nil { count += 1 }
            }
            return count
        }
        #expect(errors(0..<1, 50, at: 0) == 10)
        #expect(errors(0..<1, 50, at: 999 * ms) == 0)
        #expect(errors(0..<1, 50, at: second) == 10)
        #expect(errors(0..<1000, 2, at: 2 * second) == 500)
        #expect(agent.take(peer.check(), path(), at: 2 * second).answer != nil)
        #expect(agent.take(peer.check(password: "wrong"), path(), at: 2 * second).answer == nil)
        #expect(agent.figures.errors == 520)
    }

    @Test("the addresses of one subscriber's IPv6 network are one network")
    func network() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        let answers = (1...100).filter { number in
            let path = Path(socket: 0, remote: .init("2001:db8::\(number)", port: 1)!)
            return agent.take(peer.check(username: "AAAAAAAA:b"), path).answer != nil
        }
        #expect(answers.count == 10)
    }

    @Test("a session's checks are answered 200 times in a second, and its paths live on without an answer")
    func answers() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        let answers = (0..<300).filter { _ in agent.take(peer.check(), path()).answer != nil }
        #expect(answers.count == 200)
        let step = agent.take(peer.check(), path(2), at: 999 * ms)
        #expect(step.answer == nil && step.change == .moved(from: path(), to: path(2)))
        let refused = agent.take(peer.check { $0.append(0x7fff, []) }, path(), at: 999 * ms)
        #expect(refused.refusal == .unknownAttributes && refused.answer == nil)
        #expect(agent.take(peer.check(), path(), at: second).answer != nil)
    }

    @Test("no answer is longer than its question, whatever the question is")
    func amplification() throws {
        var agent = LiteAgent {
            $0.refusalsForEach = .max; $0.refusalsForAll = .max; $0.answers = .max
        }
        var peer = try agent.opened()
        let v6 = Path(socket: 0, remote: .init("2001:db8::7", port: 1)!)
        // The shortest ones that can be made: a bare header, a fragment, a signature, an unknown attribute.
        var bare = [STUNWriter(.request, peer.next()).finished(), STUNWriter(.request, peer.next()).finished(code("x"))]
        for username in ["", "A", "AAAAAAAA:", "\(peer.ours.ufrag):"] {
            for attributes in [[], [0x24], [0x24, 0x7fff], [0x7fff, 0x7ffe, 0x7ffd, 0x7ffc, 1, 2, 3, 4, 5]] as [[UInt16]] {
                for password in [peer.ours.password.revealed, "wrong"] {
                    var writer = STUNWriter(.request, peer.next())
                    writer.append(.username, Array(username.utf8))
                    for type in attributes { writer.append(type, type == 0x24 ? [0, 0, 0, 1] : []) }
                    bare.append(writer.finished(code(password)))
                }
            }
        }
        var withheld = 0
        for bytes in bare {
            guard let answer = agent.take(bytes, v6).answer else {
                withheld += 1
                continue
            }
            #expect(answer.count <= bytes.count)
        }
        #expect(withheld > 0 && withheld < bare.count)
    }
}
