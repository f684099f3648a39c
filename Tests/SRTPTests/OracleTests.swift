import Crypto
import Testing

@testable import SRTP

/// Held against libsrtp2, both ways.
@Suite(.serialized) struct OracleTests {
    struct Run: Sendable, CustomTestStringConvertible {
        let profile: SRTPProfile
        let seed: UInt64
        var testDescription: String { "\(profile), seed \(seed)" }
    }

    static let runs = SRTPProfile.allCases.flatMap { profile in (1...6 as ClosedRange<UInt64>).map { Run(profile: profile, seed: $0) } }

    /// What one end sends: two sources from anywhere in their numbers, over three rollovers.
    private struct Traffic {
        var dice: Dice
        var next: [UInt32: Int]

        init(_ seed: UInt64) {
            var dice = Dice(state: seed)
            next = [0xfeed_0001: Int(dice.next() % 30_000), 0xfeed_0002: Int(dice.next() % 30_000)]
            self.dice = dice
        }

        mutating func packet() -> [UInt8] {
            let source: UInt32 = dice.chance(50) ? 0xfeed_0001 : 0xfeed_0002
            let number = next[source, default: 0]
            // A step over up to 100 numbers, as a source that skips; that is how a run gets through the rollovers.
            next[source] = number + 1 + (dice.chance(80) ? Int(dice.next() % 100) : 0)
            return rtp(
                source: source, UInt16(truncatingIfNeeded: number), payload: dice.bytes(Int(dice.next() % 300)),
                sources: Int(dice.next() % 3), extensionWords: dice.chance(50) ? Int(dice.next() % 4) : nil)
        }

        mutating func report() -> [UInt8] { rtcp(source: 0xfeed_0001, rest: dice.bytes(4 * Int(dice.next() % 60))) }
    }

    /// Carries a packet over a network that loses a tenth, sends a tenth twice, and holds some back for up to 20 others.
    private struct Network {
        var dice: Dice
        var held: [(until: Int, packet: (sealed: [UInt8], plain: [UInt8]))] = []
        var time = 0

        mutating func carry(_ packet: (sealed: [UInt8], plain: [UInt8])) -> [(sealed: [UInt8], plain: [UInt8])] {
            time += 1
            if !dice.chance(10) {
                held.append((dice.chance(20) ? time + Int(dice.next() % 20) : time, packet))
                if dice.chance(10) { held.append((time + Int(dice.next() % 20), packet)) }
            }
            defer { held.removeAll { $0.until <= time } }
            return held.filter { $0.until <= time }.map(\.packet)
        }
    }

    @Test("what we protect libsrtp2 lets in, with loss, reordering, repeats and rollovers", arguments: runs)
    func outbound(run: Run) throws {
        let keys = keys(run.profile)
        let sender = SRTPSender(keys)
        let oracle = try LibSRTP(run.profile, key: keys.sending.key, salt: keys.sending.salt, .receiving)
        try exchange(
            run, protect: { try sender.protect($0) }, unprotect: { try oracle.unprotect($0) },
            protectControl: { try sender.protectControl($0) }, unprotectControl: { try oracle.unprotectControl($0) })
    }

    @Test("what libsrtp2 protects we let in, with loss, reordering, repeats and rollovers", arguments: runs)
    func inbound(run: Run) throws {
        let keys = keys(run.profile)
        let receiver = SRTPReceiver(keys)
        let oracle = try LibSRTP(run.profile, key: keys.receiving.key, salt: keys.receiving.salt, .sending)
        try exchange(
            run, protect: { try oracle.protect($0) }, unprotect: { try receiver.unprotect($0) },
            protectControl: { try oracle.protectControl($0) }, unprotectControl: { try receiver.unprotectControl($0) })
        #expect(receiver.sources == 2)
    }

    private typealias Work = ([UInt8]) throws -> [UInt8]

    /// Each packet that comes through is let in once, as it was, and never a second time.
    private func exchange(
        _ run: Run, protect: @escaping Work, unprotect: @escaping Work, protectControl: @escaping Work, unprotectControl: @escaping Work
    ) throws {
        var traffic = Traffic(run.seed)
        var network = Network(dice: Dice(state: run.seed &+ 77))
        var letIn: Set<[UInt8]> = []
        for step in 0..<9_000 {
            let isControl = step % 10 == 9
            let plain = isControl ? traffic.report() : traffic.packet()
            let sealed = isControl ? try protectControl(plain) : try protect(plain)
            for (sealed, plain) in network.carry((sealed, plain)) {
                let open = plain[1] == 0xc9 ? unprotectControl : unprotect
                if letIn.contains(sealed) {
                    #expect(throws: (any Error).self) { try open(sealed) }
                } else {
                    let opened = try open(sealed)
                    #expect(opened == plain)
                    letIn.insert(sealed)
                }
            }
        }
        #expect(traffic.next.values.allSatisfy { $0 > 2 << 16 })
    }

    @Test("a packet that is sent again is the same for libsrtp2, and ours", arguments: SRTPProfile.allCases)
    func again(profile: SRTPProfile) throws {
        let keys = keys(profile)
        let sender = SRTPSender(keys)
        let oracle = try LibSRTP(profile, key: keys.sending.key, salt: keys.sending.salt, .sending)
        let (plain, later) = (rtp(10, payload: [1, 2, 3]), rtp(11, payload: [4]))
        let first = try sender.protect(plain)
        #expect(try oracle.protect(plain) == first)
        #expect(try sender.protect(later) == oracle.protect(later))
        #expect(try sender.protect(plain, .again) == first)
        #expect(try oracle.protect(plain) == first)
        #expect(try sender.protectControl(rtcp()).count == oracle.protectControl(rtcp()).count)
    }
}
