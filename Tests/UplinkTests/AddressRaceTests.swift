import BondWire
import Crypto
import Glibc
import Posix
import Testing

@testable import Uplink

@Suite("Handshakes with several addresses of a receiver")
struct AddressRaceTests {
    private let key = StreamKey([UInt8](0..<32), .openSSL)!
    private let home: [UInt8] = [192, 0, 2, 7, 0x1b, 0x58]

    private func address(_ number: Int) -> SocketAddress { SocketAddress("198.51.100.\(number)", port: 5000)! }

    private func race(_ addresses: [SocketAddress]) -> AddressRace {
        let link = LinkNumber(1)!
        return AddressRace(addresses, by: Dialer(key: key, session: SessionID(.openSSL), link: link, crypto: .openSSL), at: 0)
    }

    /// What has come of a race over paths of 40 ms there and back.
    private struct Outcome {
        var settled: (address: SocketAddress, at: Microseconds)?
        var sent: [(at: Microseconds, address: SocketAddress)] = []
        var isOverAt: Microseconds?
    }

    /// - Parameters:
    ///   - receivers: who answers, by address.
    ///   - isDeaf: whether an address that answers takes nothing more.
    private func run(
        _ race: inout AddressRace, _ receivers: inout [SocketAddress: Acceptor], isDeaf: (SocketAddress) -> Bool = { _ in false }
    ) -> Outcome {
        var outcome = Outcome()
        var underWay: [(at: Microseconds, bytes: [UInt8])] = []
        func send(_ message: [UInt8], _ address: SocketAddress, _ now: Microseconds) {
            outcome.sent.append((now, address))
            guard !(isDeaf(address) && message[0] == 0x12) else { return }
            guard case .answer(let answer)? = receivers[address]?.take(message, from: home, at: now) else { return }
            underWay.append((now + 40_000, answer))
        }
        for now in stride(from: Microseconds(0), to: 10_000_000, by: 10_000) {
            for (message, address) in race.tick(at: now) { send(message, address, now) }
            let due = underWay.filter { $0.at <= now }
            underWay.removeAll { $0.at <= now }
            for (_, bytes) in due {
                guard let (step, address) = race.take(bytes, at: now) else { continue }
                switch step {
                case .send(let message): send(message, address, now)
                case .open:
                    outcome.settled = (address, now)
                    return outcome
                case .refused, .nothing: break
                }
            }
            if race.isOver(at: now) {
                outcome.isOverAt = now
                return outcome
            }
        }
        return outcome
    }

    private func acceptor() -> Acceptor { Acceptor(key: key, crypto: .openSSL, at: 0) }

    @Test("each that is dead costs a tenth of a second", arguments: [0, 3, 15])
    func dead(_ count: Int) throws {
        let all = (1...count + 1).map(address)
        var race = race(all)
        var receivers = [all[count]: acceptor()]
        let settled = try #require(run(&race, &receivers).settled)
        #expect(settled.address == all[count] && settled.at == Microseconds(count) * 100_000 + 80_000)
    }

    @Test("the first that answers is kept; the others are sent nothing more, and have nothing of it")
    func first() throws {
        let all = (1...4).map(address)
        var race = race(all)
        var receivers = [all[1]: acceptor(), all[2]: acceptor()]
        let outcome = run(&race, &receivers)
        #expect(outcome.settled?.address == all[1])
        // It answers at 140 ms; the third would have been asked at 200.
        #expect(outcome.sent.allSatisfy { $0.at < 140_000 || $0.address == all[1] })
        #expect(receivers[all[2]]?.figures.answered == 0 && receivers[all[2]]?.links == [])
        #expect(race.addresses == [all[1]])
    }

    @Test("one that answers later than another leaves nothing at its receiver")
    func late() throws {
        let all = (1...2).map(address)
        var race = race(all)
        let hellos = race.tick(at: 0) + race.tick(at: 100_000).filter { $0.address == all[1] }
        var receivers = all.map { _ in acceptor() }
        let answers = hellos.indices.compactMap { index -> [UInt8]? in
            guard case .answer(let answer) = receivers[index].take(hellos[index].message, from: home, at: 0) else { return nil }
            return answer
        }
        #expect(hellos.map(\.address) == all && answers.count == 2)
        #expect(race.take(answers[1], at: 120_000)?.address == all[1])
        #expect(race.take(answers[0], at: 130_000) == nil, "it comes too late")
        #expect(receivers[0].links.isEmpty && race.answering == all[1])
        #expect(race.tick(at: 1_000_000).allSatisfy { $0.address == all[1] })
    }

    @Test("it is over two seconds after the last was asked, and says who did not answer and why")
    func over() throws {
        let all = (1...20).map(address)
        var race = race(all)
        var nobody: [SocketAddress: Acceptor] = [:]
        let outcome = run(&race, &nobody)
        #expect(outcome.isOverAt == 3_500_000)
        #expect(Set(outcome.sent.map(\.address)) == Set(all.prefix(16)), "no more than sixteen at a time")
        #expect(outcome.sent.count <= 16 * 7, "\(outcome.sent.count) datagrams")
        race.note(SystemError("sendto", ENETUNREACH), at: all[1])
        #expect(
            race.failure.hasPrefix(
                "none of 16 addresses answers: 198.51.100.1:5000: no answer within 2 s; 198.51.100.2:5000: unreachable, Network is"))
    }

    @Test("one that answers and goes no further is named")
    func deaf() throws {
        var race = race([address(1), address(2)])
        var receivers = [address(2): acceptor()]
        let outcome = run(&race, &receivers) { _ in true }
        #expect(outcome.isOverAt == 2_140_000 && race.answering == address(2))
        #expect(race.failure == "198.51.100.2:5000 answers, but does not complete the handshake")
    }

    @Test("what is learnt on the way joins, and nothing joins once one has answered")
    func join() throws {
        var race = race([address(1)])
        #expect(race.tick(at: 0).map(\.address) == [address(1)])
        race.add([address(1), address(2)], at: 500_000)
        #expect(!race.isOver(at: 2_400_000))
        let hello = try #require(race.tick(at: 500_000).last)
        #expect(hello.address == address(2) && race.addresses == [address(1), address(2)])
        var receiver = acceptor()
        guard case .answer(let answer) = receiver.take(hello.message, from: home, at: 0) else { throw TimedOut() }
        #expect(race.take(answer, at: 600_000)?.address == address(2))
        race.add([address(3)], at: 700_000)
        #expect(race.addresses == [address(2)])
    }

    @Test("nobody without the key can answer in a receiver's place")
    func strangers() throws {
        var race = race([address(1)])
        let hello = race.tick(at: 0)[0].message
        var stranger = Acceptor(key: StreamKey([UInt8](1..<33), .openSSL)!, crypto: .openSSL, at: 0)
        guard case .dropped = stranger.take(hello, from: home, at: 0) else { throw TimedOut() }
        // Who sees the hello knows its random: a retry of his own making has it, and no proof.
        var forged = hello
        forged[0] = 0x11
        for bytes in [forged, hello, [], [UInt8](repeating: 0x11, count: 76)] { #expect(race.take(bytes, at: 10_000) == nil) }
        #expect(race.answering == nil)
    }
}
