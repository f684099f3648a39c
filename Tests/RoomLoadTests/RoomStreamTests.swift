import Posix
@testable import RoomLoad
import RTP
import TLS
import Testing

/// The load of the bench of rooms: a bench that counts wrongly shows nothing.
@Suite("The load of rooms")
struct RoomStreamTests {
    @Test("a packet tells what was written into it, as the start of a key frame, of another picture, and of neither")
    func packet() {
        var bytes = [UInt8](repeating: 7, count: 64)
        for (starts, isKey) in [(true, true), (true, false), (false, false)] {
            let packet = PicturePacket(startsPicture: starts, isKey: isKey, picture: 0x7abc, leftAt: 0x0102_0304_0506_0708)
            bytes.withUnsafeMutableBytes { packet.write(into: $0) }
            #expect(bytes.withUnsafeBytes { PicturePacket($0) } == packet)
        }
        #expect(bytes[PicturePacket.headBytes...].allSatisfy { $0 == 7 })
        #expect(bytes.withUnsafeBytes { PicturePacket(UnsafeRawBufferPointer(rebasing: $0[..<(PicturePacket.headBytes - 1)])) } == nil)
        bytes[2] = 0
        #expect(bytes.withUnsafeBytes { PicturePacket($0) } == nil, "a picture id of seven bits is none of ours")
    }

    @Test("numbers are counted over their wrap; what is missing between the first and the last is lost, what was before does not count")
    func numbers() {
        var count = SequenceCount()
        for sequence: UInt16 in [65_533, 65_534, 0, 1, 65_535] { _ = count.take(sequence) }
        #expect(count.came == 5 && count.lost == 0)
        count.restart()
        #expect(count.came == 0 && count.lost == 0)
        // 1 comes late again, 2 and 4 are missing.
        for sequence: UInt16 in [1, 3, 5] { _ = count.take(sequence) }
        #expect(count.came == 2 && count.lost == 2)
        #expect(count.take(6) - count.take(5) == 1)
    }

    @Test("the first picture is whole once a key frame has come from its start to its end without a gap")
    func firstPicture() {
        func packet(_ starts: Bool, key: Bool = false) -> PicturePacket {
            PicturePacket(startsPicture: starts, isKey: key, picture: 1, leftAt: 0)
        }
        var first = FirstPicture()
        let before = [
            // The end of one whose start is missing, one that is no key frame, and one without its number 4.
            first.take(packet(false), number: 1, isLast: true), first.take(packet(true), number: 2, isLast: true),
            first.take(packet(true, key: true), number: 3, isLast: false), first.take(packet(false), number: 5, isLast: true),
            first.take(packet(true, key: true), number: 6, isLast: false), first.take(packet(false), number: 7, isLast: false),
        ]
        #expect(before.allSatisfy { !$0 } && !first.isWhole)
        let whole = first.take(packet(false), number: 8, isLast: true)
        let again = first.take(packet(true, key: true), number: 9, isLast: true)
        #expect(whole && first.isWhole && !again)
    }

    @Test("a publisher sends on its beat, a key frame first and then where one was asked for, and leaves out what would be far too late")
    func published() throws {
        let start = Instant(nanoseconds: 1_000_000_000)
        var stream = PublishedStream(source: 7, packets: 300, bytes: 100, phase: 0, at: start)
        var bytes = [UInt8](repeating: 0, count: 256)
        struct Sent {
            let fields: RTPFields
            let packet: PicturePacket
        }
        func take(at now: Instant) throws -> Sent? {
            let made = bytes.withUnsafeMutableBytes { stream.take(into: $0, at: now) }
            guard let (count, _) = made else { return nil }
            let packetBytes = Array(bytes[..<count])
            let header = try RTPHeader(packetBytes.span)
            #expect(count == 112 && header.fields.source == 7 && header.payload.count == 100)
            let packet = bytes.withUnsafeBytes { PicturePacket(UnsafeRawBufferPointer(rebasing: $0[header.payload])) }
            return Sent(fields: header.fields, packet: try #require(packet))
        }
        var all: [Sent] = []
        for beat in 0..<100 {
            if beat == 15 { stream.wantKey() }
            // Thirty packets in each tenth of a second.
            while let next = try take(at: start + .milliseconds(beat)) { all.append(next) }
        }
        #expect(all.count == 30)
        #expect(all.map(\.packet.startsPicture) == (0..<30).map { $0 % 10 == 0 })
        #expect(all.map(\.fields.marker) == (0..<30).map { $0 % 10 == 9 })
        #expect(all.filter(\.packet.isKey).map(\.packet.picture) == [0, 1])
        #expect(all[29].fields.sequence == all[0].fields.sequence &+ 29)
        #expect(all[29].fields.timestamp == 6000)
        let skipped = [120, 300].map { stream.skip(at: start + .milliseconds($0)) }
        // Two tenths of a second, less what is due at the moment.
        #expect(skipped[0] == 0 && (58...61).contains(skipped[1]))
        #expect(stream.report(at: start).packets == 30)
    }

    @Test("packets that are to leave at once are due at once, and no more of them in a second")
    func bursts() {
        let start = Instant(nanoseconds: 0)
        var stream = PublishedStream(source: 7, packets: 300, bytes: 100, burst: 10, phase: 0, at: start)
        var bytes = [UInt8](repeating: 0, count: 256)
        // Ten are due each 33.3 ms.
        let counts = [0, 1, 33, 34, 67].map { beat in
            var count = 0
            while bytes.withUnsafeMutableBytes({ stream.take(into: $0, at: start + .milliseconds(beat)) }) != nil { count += 1 }
            return count
        }
        #expect(counts == [10, 0, 0, 10, 10])
    }

    @Test("all of a player's packets count, and after its first picture one of eight is opened")
    func played() {
        var stream = PlayedStream(.none)
        let key = PicturePacket(startsPicture: true, isKey: true, picture: 0, leftAt: 0)
        let number = stream.take(1)
        #expect(stream.arrivals == nil && number == 0x1_0001)
        let isFirst = stream.opened(key, number: 0x1_0001, isLast: true)
        #expect(isFirst)
        let opened = (2..<162).count { stream.take(UInt16($0)) != nil }
        #expect(opened == 20 && stream.count.came == 161 && stream.count.lost == 0)
    }

    @Test("a server's description is read as ours and as others write it, and one without a candidate of UDP is none")
    func description() throws {
        let digest = (0..<32).map { _ in "AB" }.joined(separator: ":")
        let lines = [
            "v=0", "m=video 9 UDP/TLS/RTP/SAVPF 98 99", "a=mid:v1", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijkl",
            "a=fingerprint:sha-256 \(digest)", "a=candidate:1 1 TCP 2130706431 192.0.2.7 9 typ host tcptype passive",
            "a=candidate:2 1 udp 2130706431 192.0.2.7 4000 typ host",
        ]
        for end in ["\r\n", "\n"] {
            let remote = try RemoteEnd(lines.joined(separator: end) + end)
            #expect(remote.ufrag == "abcd" && remote.mid == "v1" && remote.payloadType == 98 && remote.address.port == 4000)
            #expect(remote.fingerprint == CertificateFingerprint(.sha256, [UInt8](repeating: 0xab, count: 32)))
        }
        #expect(throws: RoomLoadFault.self) { try RemoteEnd(lines.dropLast().joined(separator: "\r\n")) }
    }

    @Test("nothing at all has figures too")
    func empty() {
        let spread = Spread([])
        #expect(spread.p50 == 0 && spread.max == 0)
        #expect(Spread((1...100).map { Int64($0) * 1000 }).p95 == 95)
    }
}
