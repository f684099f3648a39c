import BondWire
import Posix
import STUN
import Testing

@testable import ICE

@Suite struct CheckTests {
    @Test("a good check is answered with the address it came from, signed, with a fingerprint", arguments: ["192.0.2.7", "2001:db8::7"])
    func good(host: String) throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        let path = Path(socket: 3, remote: try #require(SocketAddress(host, port: 40001)))
        let check = peer.check()
        let step = agent.take(check, path)
        #expect(step.session == peer.session && step.change == .connected(path))
        let answer = try #require(step.answer)
        let read = try #require(STUNMessage(answer))
        #expect(read.kind == .success && read.transaction == STUNMessage(check)?.transaction)
        #expect(read.mappedAddress(answer) == MappedAddress(path.remote.bytes, port: 40001))
        #expect(read.isAuthentic(answer, code(peer.ours.password.revealed)) && read.hasGoodFingerprint(answer))
        #expect(answer.count <= check.count)
        #expect(agent.session(by: path) == peer.session && agent.destination(of: peer.session) == path)
        #expect(agent.figures.checked == 1)
    }

    @Test("a check without a nomination makes a path and no destination")
    func asking() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        let step = agent.take(peer.check(.asking), path())
        #expect(step.answer != nil && step.change == nil)
        #expect(agent.session(by: path()) == peer.session && agent.destination(of: peer.session) == nil)
    }

    /// Every way in which a check can be wrong: how it is refused, with which number, and whether the answer is signed.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let refusal: Refusal
        let error: Int?
        let make: @Sendable (inout Peer) -> [UInt8]
    }

    private static let wrongs: [Wrong] = [
        Wrong(testDescription: "another password", refusal: .notAuthentic, error: 401) { $0.check(password: "other") },
        Wrong(testDescription: "an empty password", refusal: .notAuthentic, error: 401) { $0.check(password: "") },
        Wrong(testDescription: "another random part of the fragment", refusal: .unknownUser, error: 401) {
            $0.check(username: "\($0.ours.ufrag.prefix(3))xxxxx:theirs")
        },
        Wrong(testDescription: "another slot", refusal: .unknownUser, error: 401) {
            $0.check(username: "AAB\($0.ours.ufrag.dropFirst(3)):theirs")
        },
        Wrong(testDescription: "a slot beyond all", refusal: .unknownUser, error: 401) { $0.check(username: "//////////:theirs") },
        Wrong(testDescription: "no ICE text", refusal: .unknownUser, error: 401) { $0.check(username: "@@@@@@@@:theirs") },
        Wrong(testDescription: "two characters", refusal: .unknownUser, error: 401) { $0.check(username: "AA") },
        Wrong(testDescription: "our fragment alone", refusal: .unknownUser, error: 401) { $0.check(username: $0.ours.ufrag) },
        Wrong(testDescription: "our fragment and a longer one", refusal: .unknownUser, error: 401) {
            $0.check(username: "\($0.ours.ufrag)x:theirs")
        },
        Wrong(testDescription: "no colon between the fragments", refusal: .unknownUser, error: 401) {
            $0.check(username: "\($0.ours.ufrag)/theirs")
        },
        Wrong(testDescription: "another fragment of theirs", refusal: .unknownUser, error: 401) {
            $0.check(username: "\($0.ours.ufrag):theirx")
        },
        Wrong(testDescription: "a longer fragment of theirs", refusal: .unknownUser, error: 401) {
            $0.check(username: "\($0.ours.ufrag):theirs2")
        },
        Wrong(testDescription: "a shorter fragment of theirs", refusal: .unknownUser, error: 401) {
            $0.check(username: "\($0.ours.ufrag):their")
        },
        Wrong(testDescription: "no username", refusal: .unsigned, error: 400) { peer in
            var writer = STUNWriter(.request, peer.next())
            writer.append(.priority, 1 as UInt32)
            writer.append(.iceControlling, 1 as UInt64)
            return writer.finished(code(peer.ours.password.revealed))
        },
        Wrong(testDescription: "no integrity", refusal: .unsigned, error: 400) { peer in
            var writer = STUNWriter(.request, peer.next())
            writer.append(.username, Array("\(peer.ours.ufrag):theirs".utf8))
            writer.append(.priority, 1 as UInt32)
            return writer.finished()
        },
        Wrong(testDescription: "no fingerprint", refusal: .badFingerprint, error: nil) { peer in
            var writer = STUNWriter(.request, peer.next())
            writer.append(.username, Array("\(peer.ours.ufrag):theirs".utf8))
            writer.append(.priority, 1 as UInt32)
            writer.sign(code(peer.ours.password.revealed))
            return writer.bare()
        },
        Wrong(testDescription: "another fingerprint", refusal: .badFingerprint, error: nil) { peer in
            var bytes = peer.check()
            bytes[bytes.count - 1] ^= 1
            return bytes
        },
        Wrong(testDescription: "an unknown attribute", refusal: .unknownAttributes, error: 420) {
            $0.check { $0.append(0x7ffe, [1, 2, 3]) }
        },
        Wrong(testDescription: "the other role", refusal: .roleConflict, error: 487) { peer in
            var writer = STUNWriter(.request, peer.next())
            writer.append(.username, Array("\(peer.ours.ufrag):theirs".utf8))
            writer.append(.priority, 1 as UInt32)
            writer.append(.iceControlled, 1 as UInt64)
            writer.append(.useCandidate)
            return writer.finished(code(peer.ours.password.revealed))
        },
        Wrong(testDescription: "both roles", refusal: .incomplete, error: 400) { $0.check { $0.append(.iceControlled, 1 as UInt64) } },
        Wrong(testDescription: "no priority", refusal: .incomplete, error: 400) { peer in
            var writer = STUNWriter(.request, peer.next())
            writer.append(.username, Array("\(peer.ours.ufrag):theirs".utf8))
            writer.append(.iceControlling, 1 as UInt64)
            writer.append(.useCandidate)
            return writer.finished(code(peer.ours.password.revealed))
        },
        Wrong(testDescription: "an indication", refusal: .notACheck, error: nil) { peer in
            var writer = STUNWriter(.indication, peer.next())
            writer.append(.username, Array("\(peer.ours.ufrag):theirs".utf8))
            return writer.finished(code(peer.ours.password.revealed))
        },
        Wrong(testDescription: "an answer", refusal: .notACheck, error: nil) { peer in
            STUNWriter(.success, peer.next()).finished(code(peer.ours.password.revealed))
        },
        Wrong(testDescription: "another method", refusal: .notACheck, error: nil) { peer in
            var writer = STUNWriter(.request, peer.next(), method: 3)
            writer.append(.username, Array("\(peer.ours.ufrag):theirs".utf8))
            writer.append(.priority, 1 as UInt32)
            return writer.finished(code(peer.ours.password.revealed))
        },
        Wrong(testDescription: "no STUN", refusal: .malformed, error: nil) { _ in [0, 1, 2, 3] },
    ]

    @Test("a wrong check is refused by its rule, moves nothing, and its answer is not longer than it", arguments: wrongs)
    func refused(wrong: Wrong) throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        let bytes = wrong.make(&peer)
        let step = agent.take(bytes, path())
        #expect(step.refusal == wrong.refusal && step.error == wrong.error)
        #expect((step.answer != nil) == (wrong.error != nil))
        #expect(agent.session(by: path()) == nil && agent.destination(of: peer.session) == nil && agent.pathCount == 0)
        #expect(agent.figures[wrong.refusal] == 1 && agent.figures.errors == (wrong.error == nil ? 0 : 1))
        // Whoever is refused is not told alive.
        #expect(agent.advance(to: 30 * second) == [.expired(peer.session)])
        guard let answer = step.answer else { return }
        let read = try #require(STUNMessage(answer))
        #expect(answer.count <= bytes.count && read.kind == .failure && read.hasGoodFingerprint(answer))
        #expect(read.transaction == STUNMessage(bytes)?.transaction)
        // Errors to who has proven nothing carry no code by which the password could be tried.
        let isForAuthentic = [.unknownAttributes, .incomplete, .roleConflict].contains(wrong.refusal)
        #expect(read.isSigned == isForAuthentic && read.isAuthentic(answer, code(peer.ours.password.revealed)) == isForAuthentic)
    }

    @Test("the attributes that were not understood are listed")
    func unknownList() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        let check = peer.check {
            $0.append(0x7ffe, [1])
            $0.append(0x0002, [])
        }
        let answer = try #require(agent.take(check, path()).answer)
        // ERROR-CODE has 4 + 4 + 17 bytes and 3 of padding.
        #expect(Array(answer[48..<56]) == [0, 0x0a, 0, 4, 0x7f, 0xfe, 0, 2])
    }

    @Test("a check before the other end's description is taken with any fragment of theirs")
    func early() throws {
        var agent = LiteAgent()
        var peer = try agent.opened()
        #expect(agent.take(peer.check(), path()).change == .connected(path()))
        #expect(agent.take(peer.check(username: peer.ours.ufrag), path()).refusal == .unknownUser)
    }

    @Test("a fragment that is none is not learnt", arguments: ["", "abc", "ab c", "ab:c", "äbcd", String(repeating: "a", count: 257)])
    func learn(text: String) throws {
        var agent = LiteAgent()
        let session = try agent.opened().session
        #expect(agent.learn(session, remoteUfrag: text) == false)
        #expect(agent.learn(session, remoteUfrag: "+/9z") == true)
        #expect(agent.learn(session, remoteUfrag: String(repeating: "a", count: 256)) == true)
    }

    @Test("a check without a role is taken, and one with attributes that browsers add")
    func tolerated() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        var writer = STUNWriter(.request, peer.next())
        writer.append(.username, Array("\(peer.ours.ufrag):theirs".utf8))
        writer.append(.priority, 1 as UInt32)
        writer.append(0xc057, [0, 1, 0, 0])
        writer.append(0xc001, [0, 0, 0, 1])
        writer.append(.software, Array("browser".utf8))
        let step = agent.take(writer.finished(code(peer.ours.password.revealed)), path())
        #expect(step.session == peer.session && step.answer != nil)
    }

    @Test("of 20,000 messages without the password none moves anything, and every good check between them is answered")
    func junk() throws {
        var agent = LiteAgent()
        var peer = try Peer(in: &agent)
        _ = agent.take(peer.check(), path())
        var good = 0
        for number in 0..<20_000 {
            let now = Microseconds(number) * 20
            var bytes = peer.check(password: "wrong")
            switch number % 4 {
            case 0: bytes = (0..<Int.random(in: 0...200)).map { _ in .random(in: 0...255) }
            case 1: bytes[Int.random(in: 0..<bytes.count)] ^= UInt8(1 << Int.random(in: 0...7))
            case 2: break
            default:
                bytes = peer.check()
                bytes[Int.random(in: 20..<bytes.count - 8)] ^= UInt8(1 << Int.random(in: 0...7))
            }
            #expect(agent.take(bytes, path(9, port: 1000 + number), at: now).session == nil)
            guard number % 1000 == 0 else { continue }
            if agent.take(peer.check(.asking), path(), at: now).answer != nil { good += 1 }
        }
        #expect(good == 20 && agent.pathCount == 1 && agent.destination(of: peer.session) == path())
        #expect(agent.figures.errors <= 10)
    }
}
