import Crypto
import Testing

@testable import SRTP

@Suite struct SessionTests {
    @Test("what one end protects the other lets in once, whatever the header is", arguments: SRTPProfile.allCases)
    func roundTrip(profile: SRTPProfile) throws {
        let (sender, receiver) = pair(profile)
        var sequence: UInt16 = 100
        for (sources, words) in [(0, nil), (2, nil), (0, 0), (15, 3)] as [(Int, Int?)] {
            for count in [0, 1, 15, 16, 17, 1200] {
                let plain = rtp(sequence, payload: [UInt8](repeating: 9, count: count), sources: sources, extensionWords: words)
                let protected = try sender.protect(plain)
                #expect(protected.count == plain.count + sender.mediaOverhead)
                #expect(protected.prefix(plain.count - count) == plain.prefix(plain.count - count))
                #expect(count < 15 || protected.prefix(plain.count) != plain[...])
                #expect(try receiver.unprotect(protected) == plain)
                #expect(throws: SRTPError.replayed) { try receiver.unprotect(protected) }
                sequence += 1
            }
        }
        for count in [0, 4, 100, 1200] {
            let plain = rtcp(rest: [UInt8](repeating: 7, count: count))
            let protected = try sender.protectControl(plain)
            #expect(protected.count == plain.count + sender.controlOverhead)
            #expect(count == 0 || protected.dropFirst(8).prefix(count) != plain.dropFirst(8))
            #expect(try receiver.unprotectControl(protected) == plain)
            #expect(throws: SRTPError.replayed) { try receiver.unprotectControl(protected) }
        }
    }

    @Test("a payload that is shared comes out as the packet in one piece would, and stays as it is", arguments: SRTPProfile.allCases)
    func shared(profile: SRTPProfile) throws {
        let (one, _) = pair(profile)
        let (other, _) = pair(profile)
        let payload = [UInt8](repeating: 3, count: 500)
        let whole = rtp(7, payload: payload, extensionWords: 1)
        let header = Array(whole.dropLast(payload.count))
        #expect(try one.protect(header: header, payload: payload) == other.protect(whole))
        #expect(payload == [UInt8](repeating: 3, count: 500))
        #expect(throws: SRTPError.short) { try one.protect(header: header + [0], payload: payload) }
        #expect(throws: SRTPError.short) { try one.protect(header: Array(header.dropLast()), payload: payload) }
        #expect(throws: SRTPError.tooLong) { try one.protect(header: rtp(8, payload: []), payload: payload, room: 512) }
        #expect(throws: SRTPError.tooLong) { try one.protect(header: rtp(8, payload: []), payload: payload, room: 11) }
    }

    @Test("with any bit changed, or cut, a packet is refused, and the good one still counts", arguments: SRTPProfile.allCases)
    func tampered(profile: SRTPProfile) throws {
        let (sender, receiver) = pair(profile)
        let good = try sender.protect(rtp(1, payload: [1, 2, 3], extensionWords: 1))
        let report = try sender.protectControl(rtcp(rest: [4, 5, 6, 7]))
        for bit in 0..<good.count * 8 {
            var bad = good
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: SRTPError.self) { try receiver.unprotect(bad) }
        }
        for bit in 0..<report.count * 8 {
            var bad = report
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: SRTPError.self) { try receiver.unprotectControl(bad) }
        }
        for count in 0..<good.count { #expect(throws: SRTPError.self) { try receiver.unprotect(Array(good[..<count])) } }
        for count in 0..<report.count { #expect(throws: SRTPError.self) { try receiver.unprotectControl(Array(report[..<count])) } }
        #expect(throws: SRTPError.forged) { try receiver.unprotect(good + [0]) }
        #expect(receiver.sources == 0)
        _ = try receiver.unprotect(good)
        _ = try receiver.unprotectControl(report)
        #expect(receiver.sources == 1)
    }

    @Test("who has no keys makes nothing grow, and moves no rollover counter", arguments: SRTPProfile.allCases)
    func strangers(profile: SRTPProfile) throws {
        let (sender, receiver) = pair(profile)
        let stranger = SRTPSender(keys(profile, seed: 99), limit: 10_000)
        _ = try receiver.unprotect(sender.protect(rtp(60_000, payload: [1])))
        for number in 0..<1000 as Range<UInt32> {
            let forged = try stranger.protect(rtp(source: number, 5, payload: [1]))
            #expect(throws: SRTPError.forged) { try receiver.unprotect(forged) }
            let report = try stranger.protectControl(rtcp(source: number, rest: [0, 0, 0, 0]))
            #expect(throws: SRTPError.forged) { try receiver.unprotectControl(report) }
        }
        // Numbers that would roll the counter over, of the good source.
        for sequence in 0..<1000 as Range<UInt16> {
            #expect(throws: SRTPError.forged) { try receiver.unprotect(stranger.protect(rtp(sequence, payload: [1]))) }
        }
        #expect(receiver.sources == 1)
        let plain = rtp(60_001, payload: [2])
        #expect(try receiver.unprotect(sender.protect(plain)) == plain)
    }

    @Test("who sends has so many sources and no more, of media and of control together")
    func bounded() throws {
        let (sender, receiver) = pair(.gcm, limit: 3)
        for source in 0..<3 as Range<UInt32> { _ = try receiver.unprotect(sender.protect(rtp(source: source, 1, payload: []))) }
        #expect(throws: SRTPError.full) { try sender.protect(rtp(source: 3, 1, payload: [])) }
        #expect(throws: SRTPError.full) { try sender.protectControl(rtcp(source: 3)) }
        _ = try receiver.unprotectControl(sender.protectControl(rtcp(source: 2)))
    }

    @Test("a page that sends anew again and again is heard, and what came of its older sources is refused if it comes again")
    func anew() throws {
        let (_, receiver) = pair(.gcm, limit: 3)
        // As a page's: it has as many sources as it likes.
        let (sender, _) = pair(.gcm, limit: 10_000)
        var old: [[UInt8]] = []
        for source in 0..<100 as Range<UInt32> {
            let plain = rtp(source: source, 70, payload: [1])
            let packet = try sender.protect(plain)
            #expect(try receiver.unprotect(packet) == plain)
            let report = try sender.protectControl(rtcp(source: source))
            _ = try receiver.unprotectControl(report)
            old.append(packet)
            #expect(throws: SRTPError.replayed) { try receiver.unprotectControl(report) }
        }
        #expect(receiver.sources == 3)
        for packet in old { #expect(throws: SRTPError.replayed) { try receiver.unprotect(packet) } }
        #expect(receiver.sources == 3)
        // One of them goes on, where it was; what was before that is too late.
        let before = try sender.protect(rtp(source: 5, 69, payload: [2]))
        for sequence in [71, 73, 72] as [UInt16] {
            let plain = rtp(source: 5, sequence, payload: [3])
            let packet = try sender.protect(plain)
            #expect(try receiver.unprotect(packet) == plain)
            #expect(throws: SRTPError.replayed) { try receiver.unprotect(packet) }
        }
        #expect(throws: SRTPError.replayed) { try receiver.unprotect(before) }
        #expect(throws: SRTPError.replayed) { try receiver.unprotect(old[5]) }
        // Who is heard all the time keeps its place.
        let steady = pair(.counter, limit: 3)
        let many = SRTPSender(keys(.counter), limit: 10_000)
        for source in 10..<100 as Range<UInt32> {
            _ = try steady.1.unprotect(many.protect(rtp(source: 1, UInt16(source), payload: [])))
            _ = try steady.1.unprotect(many.protect(rtp(source: source, 1, payload: [])))
        }
        let late = try many.protect(rtp(source: 1, 5, payload: []))
        _ = try steady.1.unprotect(late)
    }

    @Test("sources that had to go are remembered up to a bound; then no new one is let in, and those that there are go on")
    func remembered() throws {
        let (_, receiver) = pair(.gcm, limit: 3)
        let (sender, _) = pair(.gcm, limit: 10_000)
        for source in 0..<4099 as Range<UInt32> { _ = try receiver.unprotect(sender.protect(rtp(source: source, 1, payload: []))) }
        #expect(throws: SRTPError.full) { try receiver.unprotect(sender.protect(rtp(source: 5000, 1, payload: []))) }
        #expect(throws: SRTPError.full) { try receiver.unprotectControl(sender.protectControl(rtcp(source: 5001))) }
        for source in [0, 4098, 7] as [UInt32] { _ = try receiver.unprotect(sender.protect(rtp(source: source, 2, payload: []))) }
        #expect(receiver.sources == 3)
    }

    @Test("a source that is over gives its place to another and is refused from then on; the others go on where they were")
    func retired() throws {
        let (sender, receiver) = pair(.gcm, limit: 3)
        for source in 0..<3 as Range<UInt32> { _ = try receiver.unprotect(sender.protect(rtp(source: source, 1, payload: []))) }
        sender.retire(0)
        // Which nobody knows.
        sender.retire(7)
        #expect(throws: SRTPError.replayed) { try sender.protect(rtp(source: 0, 2, payload: [])) }
        #expect(throws: SRTPError.replayed) { try sender.protectControl(rtcp(source: 0)) }
        #expect(throws: SRTPError.replayed) { try sender.protect(rtp(source: 2, 1, payload: [])) }
        _ = try sender.protect(rtp(source: 3, 1, payload: []))
        #expect(throws: SRTPError.full) { try sender.protect(rtp(source: 4, 1, payload: [])) }
        sender.retire(3)
        sender.retire(2)
        for source in 4..<6 as Range<UInt32> { _ = try sender.protect(rtp(source: source, 1, payload: [])) }
        #expect(throws: SRTPError.replayed) { try sender.protect(rtp(source: 1, 1, payload: [])) }
        let plain = rtp(source: 1, 2, payload: [1])
        #expect(try receiver.unprotect(sender.protect(plain)) == plain)
    }

    @Test("a number is protected once, and again only as what it was", arguments: SRTPProfile.allCases)
    func again(profile: SRTPProfile) throws {
        let (sender, receiver) = pair(profile)
        let plain = rtp(65_535, payload: [1, 2, 3])
        #expect(throws: SRTPError.replayed) { try sender.protect(plain, .again) }
        let first = try sender.protect(plain)
        for sequence in 0..<3000 as Range<UInt16> { _ = try sender.protect(rtp(sequence, payload: [])) }
        #expect(throws: SRTPError.replayed) { try sender.protect(plain) }
        #expect(try sender.protect(plain, .again) == first)
        #expect(throws: SRTPError.replayed) { try sender.protect(rtp(3000, payload: []), .again) }
        #expect(try receiver.unprotect(first) == plain)
    }

    @Test("a packet 2,047 behind the newest is let in, one of 2,048 is too old to tell", arguments: SRTPProfile.allCases)
    func window(profile: SRTPProfile) throws {
        let (sender, receiver) = pair(profile)
        let old = try sender.protect(rtp(65_000, payload: []))
        let young = try sender.protect(rtp(65_001, payload: []))
        _ = try receiver.unprotect(sender.protect(rtp(65_010, payload: [])))
        _ = try receiver.unprotect(sender.protect(rtp(1512, payload: [])))
        #expect(throws: SRTPError.replayed) { try receiver.unprotect(old) }
        _ = try receiver.unprotect(young)
        #expect(throws: SRTPError.replayed) { try receiver.unprotect(young) }
    }

    @Test("a buffer without room, and what is no packet, are refused before a number is used", arguments: SRTPProfile.allCases)
    func refused(profile: SRTPProfile) throws {
        let (sender, receiver) = pair(profile)
        let plain = rtp(1, payload: [1, 2, 3])
        #expect(throws: SRTPError.tooLong) { try sender.protect(plain, room: sender.mediaOverhead - 1) }
        #expect(throws: SRTPError.tooLong) { try sender.protectControl(rtcp(), room: sender.controlOverhead - 1) }
        #expect(throws: SRTPError.short) { try sender.protect(Array(plain[..<11])) }
        #expect(throws: SRTPError.short) { try sender.protect([0x40] + plain.dropFirst()) }
        // 15 contributing sources that are not there; an extension that goes beyond the end.
        #expect(throws: SRTPError.short) { try sender.protect([0x8f] + plain.dropFirst()) }
        #expect(throws: SRTPError.short) { try sender.protect([0x90] + plain.dropFirst() + [0, 0, 0xff, 0xff]) }
        #expect(throws: SRTPError.short) { try sender.protectControl(Array(rtcp().dropLast())) }
        #expect(try receiver.unprotect(sender.protect(plain, room: sender.mediaOverhead)) == plain)
    }

    @Test("RTCP that is authentic and not encrypted is refused")
    func unencrypted() throws {
        // As RFC 7714 section 9.3 has it: all of it is additional data.
        let master = keys(.gcm).sending
        let (key, salt) = (master.derive(.encryption, .control, count: 16), master.derive(.salt, .control, count: 12))
        let plain = rtcp(rest: [1, 2, 3, 4])
        var buffer = plain + [UInt8](repeating: 0, count: 20)
        buffer.withUnsafeMutableBytes { buffer in
            _ = Protection(gcm: key, salt: salt, .sealing).seal(
                buffer, clear: plain.count, text: UnsafeRawBufferPointer(buffer).part(0..<0), source: 0x1234_5678, index: 0, word: 0)
        }
        let (_, receiver) = pair(.gcm)
        #expect(throws: SRTPError.forged) { try receiver.unprotectControl(buffer) }
        #expect(receiver.sources == 0)
    }
}
