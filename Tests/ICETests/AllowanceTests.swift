import BondWire
import STUN
import Testing
import Units

@testable import ICE

/// What goes to an address that has shown nothing but a check, and to one that has gone silent.
@Suite struct AllowanceTests {
    private static let password = "the password of theirs, 24+"

    /// A session whose other end can be asked, connected over `path(1)` by one check.
    private func connected() throws -> (agent: LiteAgent, peer: Peer, check: Int, answer: Int) {
        var agent = LiteAgent()
        var peer = try agent.opened()
        let isLearnt = agent.learn(peer.session, remoteUfrag: peer.ufrag, remotePassword: Secret(Self.password))
        #expect(isLearnt)
        let check = peer.check()
        let answer = agent.take(check, path(1)).answer
        return (agent, peer, check.count, try #require(answer).count)
    }

    /// The same after a handshake over that path.
    private func shaken() throws -> (agent: LiteAgent, peer: Peer) {
        var (agent, peer, _, _) = try connected()
        #expect(agent.maySend(100, over: path(1), by: peer.session) == true)
        agent.shookHands(over: path(1), by: peer.session, at: 0)
        return (agent, peer)
    }

    /// How many datagrams of this size go, of a hundred.
    private func sent(_ agent: inout LiteAgent, _ count: Int, over path: Path, by peer: Peer) -> Int {
        var sent = 0
        for _ in 0..<100 where agent.maySend(count, over: path, by: peer.session) { sent += 1 }
        return sent
    }

    /// What the other end answers to a question.
    private func answer(to question: Question, password: String = Self.password) throws -> [UInt8] {
        let read = try #require(STUNMessage(question.bytes))
        var writer = STUNWriter(.success, read.transaction)
        writer.append(try #require(MappedAddress(question.path.remote.bytes, port: 40000)))
        return writer.finished(code(password))
    }

    @Test("to an address that has shown nothing but a check go three times its bytes, the answer counted, and never more")
    func amplification() throws {
        var (agent, peer, check, answer) = try connected()
        let room = 3 * check - answer
        #expect(agent.maySend(room + 1, over: path(1), by: peer.session) == false)
        #expect(agent.maySend(room, over: path(1), by: peer.session) == true)
        #expect(agent.maySend(1, over: path(1), by: peer.session) == false)
        #expect(agent.figures.withheld == 2)
        // Whatever comes from there is paid for, and what is sent there stays below three times of it.
        var (came, went) = (check, answer + room)
        for _ in 0..<50 {
            let more = peer.check(.asking)
            came += more.count + 1200
            went += agent.take(more, path(1)).answer?.count ?? 0
            #expect(agent.came(1200, over: path(1)) == peer.session)
            went += 700 * sent(&agent, 700, over: path(1), by: peer)
            #expect(went <= 3 * came && went > 3 * came - 1400)
        }
    }

    @Test("nothing goes over a path that is not the session's, and what comes from a stranger makes no room")
    func strangers() throws {
        var (agent, peer, _, _) = try connected()
        #expect(agent.came(100_000, over: path(9)) == nil)
        #expect(agent.maySend(1, over: path(9), by: peer.session) == false)
        var other = try Peer(in: &agent)
        _ = agent.take(other.check(), path(2))
        #expect(agent.maySend(1, over: path(2), by: peer.session) == false)
        agent.close(peer.session)
        #expect(agent.maySend(1, over: path(1), by: peer.session) == false)
    }

    @Test("a handshake that went over one path alone proves it: nothing is counted there any more")
    func handshake() throws {
        var (agent, peer) = try shaken()
        #expect(sent(&agent, 1200, over: path(1), by: peer) == 100)
        let question = agent.question(of: peer.session, at: second)
        #expect(question == nil, "what is known is not asked")
    }

    @Test("a handshake whose flights went elsewhere proves nothing: who ends it from a forged address has read them at his own")
    func spread() throws {
        var (agent, peer, _, _) = try connected()
        #expect(agent.maySend(100, over: path(1), by: peer.session) == true)
        #expect(agent.take(peer.check(), path(66)).change == .moved(from: path(1), to: path(66)))
        agent.shookHands(over: path(66), by: peer.session, at: 0)
        #expect(sent(&agent, 1200, over: path(66), by: peer) == 0)
        // As does one that went to both.
        var (again, other, _, _) = try connected()
        #expect(again.maySend(100, over: path(1), by: other.session) == true)
        _ = again.take(other.check(), path(66))
        #expect(again.maySend(100, over: path(66), by: other.session) == true)
        again.shookHands(over: path(66), by: other.session, at: 0)
        #expect(sent(&again, 1200, over: path(66), by: other) == 0)
    }

    @Test("media that move to another path, while the session is alive, are held to three times what comes from there")
    func moved() throws {
        var (agent, peer) = try shaken()
        _ = agent.take(peer.check(), path(66), at: second)
        #expect(agent.destination(of: peer.session) == path(66))
        // A participant who forges the source of a check each second: 4 Mbit/s of media would be 500,000 bytes.
        var bytes = 0
        for tick in 1...10 {
            let now = Microseconds(tick) * second
            bytes += 120 * sent(&agent, 120, over: path(66), by: peer)
            _ = agent.take(peer.check(), path(66), at: now)
        }
        #expect(bytes < 10 * 3 * 130)
    }

    @Test("a question is a check of ours for the other end, and its answer proves the path")
    func question() throws {
        var (agent, peer, _, _) = try connected()
        let asked = agent.question(of: peer.session, at: 0)
        let question = try #require(asked)
        let read = try #require(STUNMessage(question.bytes))
        let username = try #require(read.username)
        #expect(question.path == path(1) && read.kind == .request && !read.hasUseCandidate && read.priority != nil)
        #expect(Array(question.bytes[username]) == Array("\(peer.ufrag):\(peer.ours.ufrag)".utf8))
        #expect(read.controlled != nil && read.controlling == nil)
        #expect(read.isAuthentic(question.bytes, code(Self.password)) && read.hasGoodFingerprint(question.bytes))
        let answer = try answer(to: question)
        #expect(agent.take(answer, path(1), at: ms) == .answered(peer.session))
        #expect(sent(&agent, 1200, over: path(1), by: peer) == 100)
        #expect(agent.figures.proven == 1)
        // It is over: the same answer is nothing any more.
        #expect(agent.take(answer, path(1), at: ms).refusal == .notACheck)
    }

    @Test("an answer from elsewhere, to another question, or of another password proves nothing")
    func wrongAnswers() throws {
        var (agent, peer, _, _) = try connected()
        _ = agent.take(peer.check(.asking), path(2))
        let asked = agent.question(of: peer.session, at: 0)
        let question = try #require(asked)
        let good = try answer(to: question)
        #expect(agent.take(good, path(2)).refusal == .notACheck)
        #expect(agent.take(good, path(9)).refusal == .notACheck)
        let foreign = try answer(to: question, password: "another one")
        #expect(agent.take(foreign, path(1)).refusal == .notAuthentic)
        let other = STUNWriter(.success, peer.next()).finished(code(Self.password))
        #expect(agent.take(other, path(1)).refusal == .notACheck)
        let transaction = try #require(STUNMessage(good)).transaction
        let unsigned = STUNWriter(.success, transaction).finished()
        #expect(agent.take(unsigned, path(1)).refusal == .notAuthentic)
        #expect(sent(&agent, 1200, over: path(1), by: peer) == 0)
        #expect(agent.figures.proven == 0)
        #expect(agent.take(good, path(1)) == .answered(peer.session))
    }

    @Test("a question is repeated as it was, ten times a second at most, and only as far as there is room for it")
    func repeated() throws {
        var (agent, peer, _, _) = try connected()
        let first = agent.question(of: peer.session, at: 0)
        let early = agent.question(of: peer.session, at: 99 * ms)
        let late = agent.question(of: peer.session, at: 100 * ms)
        #expect(first != nil && early == nil && late == first)
        var more = 0
        for tick in 2..<100 where agent.question(of: peer.session, at: Microseconds(tick) * 100 * ms) != nil { more += 1 }
        #expect(more <= 2, "of one check of some 100 bytes")
        // Of itself it asks only where the handshake needs the room no more.
        let unasked = agent.questions(at: 60 * second)
        #expect(unasked.isEmpty)
    }

    @Test("after the handshake a path that the media moved to is asked by itself, as long as something comes from there")
    func byItself() throws {
        var (agent, peer) = try shaken()
        let none = agent.questions(at: second)
        #expect(none.isEmpty)
        _ = agent.take(peer.check(), path(2), at: second)
        let questions = agent.questions(at: second)
        #expect(questions.map(\.path) == [path(2)])
        let answer = try answer(to: try #require(questions.first))
        #expect(agent.take(answer, path(2), at: second) == .answered(peer.session))
        #expect(sent(&agent, 1200, over: path(2), by: peer) == 100)
    }

    @Test("whose password is not known is asked nothing; after a restart the question is for the new credentials, once they are used")
    func credentials() throws {
        var agent = LiteAgent()
        var silent = try Peer(in: &agent)
        _ = agent.take(silent.check(), path(3))
        let none = agent.question(of: silent.session, at: 0)
        #expect(none == nil)

        var (restarted, peer, _, _) = try connected()
        var new = try restarted.restarted(peer, from: 1000)
        let isLearnt = restarted.learn(new.session, remoteUfrag: "fresh", remotePassword: Secret("another password"))
        #expect(isLearnt)
        new.ufrag = "fresh"
        let before = restarted.question(of: peer.session, at: 0)
        let old = try #require(before)
        let username = try #require(STUNMessage(old.bytes)?.username)
        #expect(Array(old.bytes[username]) == Array("theirs:\(peer.ours.ufrag)".utf8))
        _ = restarted.take(new.check(), path(4), at: second)
        let next = restarted.question(of: peer.session, at: second)
        let question = try #require(next)
        let read = try #require(STUNMessage(question.bytes))
        #expect(read.isAuthentic(question.bytes, code("another password")))
        let answer = try answer(to: question, password: "another password")
        #expect(restarted.take(answer, path(4), at: second) == .answered(peer.session))
    }

    // MARK: Silence

    @Test("a path from which nothing authentic comes for fifteen seconds gets nothing; after thirty its peer is gone")
    func silence() throws {
        var (agent, peer) = try shaken()
        _ = agent.advance(to: 14_999 * ms)
        #expect(agent.maySend(1200, over: path(1), by: peer.session) == true)
        _ = agent.advance(to: 15 * second)
        #expect(agent.maySend(1200, over: path(1), by: peer.session) == false)
        // What is not authentic is no word of it.
        #expect(agent.came(1200, over: path(1)) == peer.session)
        _ = agent.take(peer.check(password: "wrong"), path(1), at: 16 * second)
        _ = agent.advance(to: 16 * second)
        #expect(agent.maySend(1, over: path(1), by: peer.session) == false)
        let lapses = agent.advance(to: 30 * second)
        #expect(lapses.contains(.expired(peer.session)) && agent.count == 0)
    }

    @Test("one word of it, a check, media or DTLS, and media go there again at once")
    func back() throws {
        for word in 0..<3 {
            var (agent, peer) = try shaken()
            _ = agent.advance(to: 20 * second)
            #expect(agent.maySend(1, over: path(1), by: peer.session) == false)
            switch word {
            case 0: _ = agent.take(peer.check(.asking), path(1), at: 20 * second)
            case 1: agent.used(path(1), by: peer.session, at: 20 * second)
            default: agent.shookHands(over: path(1), by: peer.session, at: 20 * second)
            }
            #expect(agent.maySend(1200, over: path(1), by: peer.session) == true, "word \(word)")
        }
    }

    @Test("a check that came before is no word: who repeats what he recorded keeps nothing alive")
    func recorded() throws {
        var (agent, peer, _, _) = try connected()
        let check = peer.check()
        _ = agent.take(check, path(1))
        agent.shookHands(over: path(1), by: peer.session, at: 0)
        for tick in 1...15 {
            _ = agent.take(check, path(1), at: Microseconds(tick) * second)
            _ = agent.advance(to: Microseconds(tick) * second)
        }
        #expect(agent.maySend(1, over: path(1), by: peer.session) == false)
    }

    @Test("checks over another path keep the session and not the silent path of its media")
    func otherPath() throws {
        var (agent, peer) = try shaken()
        for tick in 1...20 {
            _ = agent.take(peer.check(.asking), path(2), at: Microseconds(tick) * second)
            _ = agent.advance(to: Microseconds(tick) * second)
        }
        #expect(agent.destination(of: peer.session) == path(1))
        #expect(agent.maySend(1, over: path(1), by: peer.session) == false)
        #expect(agent.take(peer.check(), path(2), at: 21 * second).change == .moved(from: path(1), to: path(2)))
    }
}
