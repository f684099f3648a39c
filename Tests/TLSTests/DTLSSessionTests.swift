import BondWire
import CTimeOfDay
import Crypto
import SRTP
import Testing

@testable import TLS

@Suite struct DTLSSessionTests {
    @Test("both ends connect with one profile and the same keys, and what one protects the other lets in")
    func connects() throws {
        let call = try call()
        call.start()
        call.run(until: 1_000_000)
        let client = try #require(call.connection(of: .client))
        let server = try #require(call.connection(of: .server))
        #expect(client == server)
        #expect(client.profile == .gcm)
        #expect(client.keyingMaterial.count == 56)
        #expect(!"\(client)".contains("\(client.keyingMaterial[0]),"))
        #expect(call[.client].deadline == nil && call[.server].deadline == nil)
        // Two ways there and back, of 1 ms each.
        #expect(call.now == 4_000)

        let sender = SRTPSender(try #require(SRTPKeys(client.profile, exported: client.keyingMaterial, role: .client)))
        let receiver = SRTPReceiver(try #require(SRTPKeys(server.profile, exported: server.keyingMaterial, role: .server)))
        var packet: [UInt8] = [0x80, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3] + [UInt8](repeating: 0, count: 16)
        let count = try packet.withUnsafeMutableBytes { try receiver.unprotect($0, try sender.protect($0, 15, .first)) }
        #expect(Array(packet[..<count]) == [0x80, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3])
    }

    @Test("messages go both ways, and the end of one is told to the other", arguments: Call.End.allCases)
    func messages(end: Call.End) throws {
        let call = try call()
        call.start()
        call.run(until: 1_000_000)
        let long = [UInt8](repeating: 7, count: 1_100)
        call.handle(call[end].send([1, 2, 3]), of: end)
        call.handle(call[end].send(long), of: end)
        call.handle(call[end.other].send([4]), of: end.other)
        call.run(until: 2_000_000)
        #expect(call.events(of: end.other).suffix(2) == [.received([1, 2, 3]), .received(long)])
        #expect(call.events(of: end).last == .received([4]))
        #expect(call[end].send([]) == [] && call[end].send([UInt8](repeating: 0, count: 16_385)) == [])

        call.handle(call[end].close(), of: end)
        call.run(until: 3_000_000)
        #expect(call.events(of: end.other).last == .closed)
        for session in [call[end], call[end.other]] {
            #expect(session.send([1]).isEmpty && session.close().isEmpty && session.start(at: 4_000_000).isEmpty)
            #expect(session.deadline == nil)
        }
    }

    @Test("handshakes succeed with 20 % loss each way, reordering and repeats", arguments: 1...40 as ClosedRange<UInt64>)
    func lossy(seed: UInt64) throws {
        var dice = Dice(state: seed)
        let call = try call { _, _ in
            let copies = dice.chance(20) ? 0 : dice.chance(10) ? 2 : 1
            return (0..<copies).map { _ in 5_000 + (dice.chance(20) ? Microseconds(dice.next() % 50_000) : 0) }
        }
        call.start()
        call.run(until: 40_000_000)
        #expect(call.connection(of: .client) != nil)
        #expect(call.connection(of: .client) == call.connection(of: .server))
        #expect(call.events(of: .client).count == 1 && call.events(of: .server).count == 1)
    }

    @Test("a lost datagram is sent again after 60 ms, then after twice that", arguments: 0..<3)
    func retransmission(lost: Int) throws {
        var seen = 0
        let call = try call { from, _ in
            guard from == .client else { return [1000] }
            seen += 1
            return seen <= lost ? [] : [1000]
        }
        call.start()
        call.run(until: 40_000_000)
        #expect(call.connection(of: .server) != nil)
        let waits: [Microseconds] = [0, 60_000, 180_000]
        // OpenSSL rounds what is less than 15 ms away to now.
        #expect((waits[lost] + 4_000 - 30_000...waits[lost] + 4_000).contains(call.now))
    }

    @Test("the last flight of a server is sent again for as long as the client has not got it")
    func lastFlight() throws {
        var lost = 0
        let call = try call { from, datagram in
            // The server's ChangeCipherSpec and what is behind it.
            guard from == .server, datagram[0] == 20, lost < 3 else { return [1000] }
            lost += 1
            return []
        }
        call.start()
        call.run(until: 40_000_000)
        #expect(lost == 3)
        #expect(call.connection(of: .client) == call.connection(of: .server))
        #expect(call.connection(of: .client) != nil)
    }

    @Test("who gets no answer has given up within 30 s, and says nothing more")
    func silence() throws {
        let call = try call { _, _ in [] }
        call.start()
        call.run(until: 60_000_000)
        #expect(call.events(of: .client) == [.failed(.timedOut)])
        #expect(call.events(of: .server) == [.failed(.timedOut)])
        #expect((20_000_000...30_000_000).contains(call.now))
        // The first, and twelve more.
        #expect(call.datagrams(of: .client).count == 13)
        #expect(call[.client].take([1, 2, 3], at: 60_000_000) == [])
    }

    @Test("a wall clock that jumps back an hour in a handshake costs it no more than the limit")
    func wallClockBack() throws {
        let context = try DTLSContext(at: today)
        let client = try DTLSSession(context, .client, peer: [context.fingerprint])
        ctimeofday_set(Int64(today) * 1_000_000)
        defer { ctimeofday_clear() }
        _ = client.start(at: 0)
        ctimeofday_set(Int64(today - 3600) * 1_000_000)
        var (now, calls) = (0 as Microseconds, 0)
        while let deadline = client.deadline {
            calls += 1
            #expect(deadline > now && deadline <= 30_000_000)
            now = deadline
            let events = client.advance(to: now)
            if now == 30_000_000 { #expect(events == [.failed(.timedOut)]) }
        }
        #expect(now == 30_000_000 && calls < 20)
    }

    @Test("another certificate than the promised one fails at either end, and nothing is exported", arguments: Call.End.allCases)
    func wrongFingerprint(end: Call.End) throws {
        let contexts = try (0..<3).map { _ in try DTLSContext(at: today) }
        // Whom `end` expects is the third, who is not there.
        let client = try DTLSSession(contexts[0], .client, peer: [contexts[end == .client ? 2 : 1].fingerprint])
        let server = try DTLSSession(contexts[1], .server, peer: [contexts[end == .server ? 2 : 0].fingerprint])
        let call = Call(client: client, server: server)
        call.start()
        call.run(until: 60_000_000)
        #expect(call.events(of: end) == [.failed(.untrusted)])
        #expect(call.connection(of: end.other) == nil)
    }

    @Test("without a fingerprint nobody is trusted; of several the strongest digest counts, and any of its values")
    func fingerprints() throws {
        let (one, other) = (try DTLSContext(at: today), try DTLSContext(at: today))
        let wrong = try #require(CertificateFingerprint(.sha256, [UInt8](repeating: 1, count: 32)))
        let stronger = try #require(CertificateFingerprint(.sha512, [UInt8](repeating: 1, count: 64)))
        for (peer, isGood) in [([], false), ([wrong], false), ([wrong, one.fingerprint], true), ([one.fingerprint, stronger], false)] {
            let call = Call(
                client: try DTLSSession(one, .client, peer: [other.fingerprint]), server: try DTLSSession(other, .server, peer: peer))
            call.start()
            call.run(until: 60_000_000)
            #expect((call.connection(of: .server) != nil) == isGood)
            if !isGood { #expect(call.events(of: .server) == [.failed(.untrusted)]) }
        }
    }

    @Test("a ClientHello in many small fragments, in any order, is answered", arguments: [8, 20, 60, 100])
    func fragmented(size: Int) throws {
        let (one, other) = (try DTLSContext(at: today), try DTLSContext(at: today))
        var dice = Dice(state: 5)
        let client = try DTLSSession(one, .client, peer: [other.fingerprint])
        let server = try DTLSSession(other, .server, peer: [one.fingerprint])
        guard case .send(let hello)? = client.start(at: 0).first else {
            Issue.record("no ClientHello")
            return
        }
        _ = server.start(at: 0)
        let parts = fragments(hello, of: size).shuffled(using: &dice)
        #expect(parts.count == (hello.count - 25 + size - 1) / size)
        var answers: [DTLSEvent] = []
        for part in parts {
            #expect(answers.isEmpty)
            answers = server.take(part, at: 1000)
        }
        #expect(!answers.isEmpty)
        #expect(server.dropped == 0)
    }

    @Test("no datagram of a handshake has more than 1,200 bytes")
    func sizes() throws {
        let call = try call()
        call.start()
        call.run(until: 1_000_000)
        let sizes = Call.End.allCases.flatMap { call.datagrams(of: $0).map(\.count) }
        #expect(sizes.count >= 4)
        #expect(sizes.allSatisfy { $0 <= 1200 })
    }

    @Test("smaller datagrams than ours are kept to as well")
    func smallDatagrams() throws {
        let (one, other) = (try DTLSContext(at: today), try DTLSContext(at: today))
        let call = Call(
            client: try DTLSSession(one, .client, peer: [other.fingerprint], datagramBytes: 300),
            server: try DTLSSession(other, .server, peer: [one.fingerprint], datagramBytes: 300))
        call.start()
        call.run(until: 1_000_000)
        #expect(call.connection(of: .client) != nil)
        #expect(Call.End.allCases.flatMap { call.datagrams(of: $0) }.allSatisfy { $0.count <= 300 })
    }
}
