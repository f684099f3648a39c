import Testing

@testable import BondWire

@Suite struct SecureLinkTests {
    @Test("every frame comes out as it went in", arguments: allFrames)
    func frames(_ frame: Frame) throws {
        let (sender, receiver) = pair()
        let sealed = sender.seal(frame, at: 5 << 32 + 77)
        let opened = try receiver.open(sealed.datagram, at: 0)
        #expect(opened == .init(sequence: 0, sentAt: 77, frame: frame, isNewest: true))
    }

    static let allFrames: [Frame] = [
        .probe(bytes: 120), .probe(bytes: 29), .media([0x80]), .media([UInt8](repeating: 7, count: 1328)), .control([1, 2, 3, 4]),
        .report(Report(sentAt: 5000, links: [])), .status(FlowStatus(playoutOffset: -7, latency: 1_000_000)),
        .challenge(.max), .response(0), .goodbye(.sessionEnded),
    ]

    @Test("a probe has the size it is told, and the envelope adds 29 bytes to a packet")
    func sizes() {
        let (sender, _) = pair()
        #expect(sender.seal(.probe(bytes: 120), at: 0).datagram.count == 120)
        #expect(sender.seal(.probe(bytes: 1330), at: 0).datagram.count == 1330)
        #expect(sender.seal(.probe(bytes: -1), at: 0).datagram.count == 29)
        #expect(sender.seal(.media([UInt8](repeating: 0, count: 1328)), at: 0).datagram.count == 1357)
    }

    @Test("a datagram with any bit changed, or cut, is refused, and the good one still counts")
    func tampered() throws {
        let (sender, receiver) = pair()
        let good = sender.seal(.media([1, 2, 3]), at: 0).datagram
        for bit in 0..<good.count * 8 {
            var bad = good
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: SecureLink.Rejection.self) { try receiver.open(bad, at: 0) }
        }
        for count in 0..<good.count { #expect(throws: SecureLink.Rejection.self) { try receiver.open(Array(good[..<count]), at: 0) } }
        #expect(throws: SecureLink.Rejection.notAuthentic) { try receiver.open(good + [0], at: 0) }
        #expect(try receiver.open(good, at: 0).frame == .media([1, 2, 3]))
    }

    @Test("the two directions have different keys: what an end sealed it does not open")
    func reflected() {
        let (sender, _) = pair()
        let datagram = sender.seal(.challenge(1), at: 0).datagram
        #expect(throws: SecureLink.Rejection.notAuthentic) { try sender.open(datagram, at: 0) }
    }

    @Test("no datagram is let in twice, in whatever order they come")
    func replay() throws {
        let (sender, receiver) = pair()
        var dice = Dice(state: 3)
        let sent = (0..<1000).map { _ in sender.seal(.challenge(0), at: 0).datagram }.shuffled(using: &dice)
        for datagram in sent { _ = try receiver.open(datagram, at: 0) }
        for datagram in sent { #expect(throws: SecureLink.Rejection.replayed) { try receiver.open(datagram, at: 0) } }
    }

    @Test("a datagram 2,047 behind the newest is let in, one of 2,048 is too old to tell")
    func window() throws {
        let (sender, receiver) = pair()
        let sent = (0..<2050).map { _ in sender.seal(.challenge(0), at: 0).datagram }
        _ = try receiver.open(sent[2049], at: 0)
        #expect(throws: SecureLink.Rejection.replayed) { try receiver.open(sent[1], at: 0) }
        #expect(try receiver.open(sent[2], at: 0).isNewest == false)
    }

    @Test("two names for one link do not seal two datagrams under one number")
    func copies() throws {
        let (sender, _) = pair()
        let copy = sender
        #expect(sender.seal(.challenge(0), at: 0).sequence == 0)
        #expect(copy.seal(.challenge(0), at: 0).sequence == 1)
    }
}

@Suite struct EpochTests {
    private static func bits(_ link: SecureLink, _ now: Microseconds) -> UInt8 { link.seal(.challenge(0), at: now).datagram[0] & 0x0f }

    /// Lets both ends hear each other.
    private func exchange(_ sender: SecureLink, _ receiver: SecureLink, at now: Microseconds) throws {
        _ = try receiver.open(sender.seal(.challenge(0), at: now).datagram, at: now)
        _ = try sender.open(receiver.seal(.challenge(0), at: now).datagram, at: now)
    }

    @Test("after ten minutes an end goes to the next epoch, and the other follows")
    func time() throws {
        let (sender, receiver) = pair()
        try exchange(sender, receiver, at: 0)
        #expect(Self.bits(sender, 599 * second) == 0)
        let next = sender.seal(.challenge(9), at: 600 * second)
        #expect(next.datagram[0] == 0x41)
        #expect(try receiver.open(next.datagram, at: 0).frame == .challenge(9))
        #expect(next.sequence == 2)
    }

    @Test("after so many datagrams too: 2^22")
    func packets() throws {
        #expect(SecureLink.epochPackets == 1 << 22)
        let (sender, receiver) = pair(epochPackets: 100)
        try exchange(sender, receiver, at: 0)
        for _ in 1..<100 { #expect(Self.bits(sender, 0) == 0) }
        #expect(Self.bits(sender, 0) == 1)
    }

    @Test("the epoch before is opened for three seconds more, and its numbers stay seen")
    func grace() throws {
        let (sender, receiver) = pair()
        try exchange(sender, receiver, at: 0)
        let (seen, late, later) = (sender.seal(.challenge(1), at: 0), sender.seal(.challenge(2), at: 0), sender.seal(.challenge(3), at: 0))
        _ = try receiver.open(seen.datagram, at: 0)
        _ = try receiver.open(sender.seal(.challenge(4), at: 600 * second).datagram, at: 600 * second)
        #expect(throws: SecureLink.Rejection.replayed) { try receiver.open(seen.datagram, at: 600 * second) }
        #expect(try receiver.open(late.datagram, at: 603 * second).frame == .challenge(2))
        #expect(throws: SecureLink.Rejection.unknownEpoch) { try receiver.open(later.datagram, at: 603 * second + 1) }
    }

    @Test("an end that hears nothing stays in its epoch, so that a dark link is not out of step when it comes back")
    func dark() throws {
        let (sender, receiver) = pair()
        try exchange(sender, receiver, at: 0)
        for hour in 1...100 { _ = sender.seal(.challenge(0), at: Microseconds(hour) * 3600 * second) }
        let back = sender.seal(.challenge(5), at: 101 * 3600 * second)
        #expect(back.datagram[0] == 0x41)
        #expect(try receiver.open(back.datagram, at: 0).frame == .challenge(5))
    }

    @Test("an end that heard nothing of up to seven epochs opens the eighth; one farther ahead is unknown")
    func ahead() throws {
        for (epochs, isKnown) in [(2, true), (7, true), (8, false)] {
            let (sender, receiver) = pair()
            for turn in 0...epochs {
                let now = Microseconds(turn) * 600 * second
                let datagram = sender.seal(.challenge(0), at: now).datagram
                _ = try sender.open(receiver.seal(.challenge(0), at: 0).datagram, at: now)
                guard turn == epochs else { continue }
                #expect(datagram[0] == 0x40 | UInt8(epochs))
                if isKnown {
                    #expect(try receiver.open(datagram, at: now).sequence == UInt64(epochs))
                    try exchange(sender, receiver, at: now)
                } else {
                    #expect(throws: SecureLink.Rejection.unknownEpoch) { try receiver.open(datagram, at: now) }
                }
            }
        }
    }

    @Test("over fifty epochs, more than the header can tell apart, nothing is lost")
    func wrap() throws {
        let (sender, receiver) = pair()
        for epoch in 0..<50 {
            let now = Microseconds(epoch) * 600 * second
            for _ in 0..<3 { try exchange(sender, receiver, at: now) }
        }
        #expect(Self.bits(sender, 50 * 600 * second) == 50 % 16)
    }

    @Test("a forged epoch moves nothing")
    func forged() throws {
        let (sender, receiver) = pair()
        try exchange(sender, receiver, at: 0)
        for bits in 1..<UInt8(16) {
            var datagram = sender.seal(.challenge(0), at: 0).datagram
            datagram[0] = 0x40 | bits
            #expect(throws: SecureLink.Rejection.self) { try receiver.open(datagram, at: 0) }
        }
        try exchange(sender, receiver, at: 0)
    }
}

@Suite struct ReplayWindowTests {
    @Test(
        "the whole number is rebuilt from its low 32 bits, over the wrap in both directions",
        arguments: [
            (nil, 0, 0), (nil, 0xffff_ffff, 0xffff_ffff), (0, 1, 1), (5, 2, 2), (0xffff_fffe, 0xffff_ffff, 0xffff_ffff),
            (0xffff_ffff, 0, 0x1_0000_0000), (0xffff_ff00, 5, 0x1_0000_0005), (0x1_0000_0000, 0xffff_fffe, 0xffff_fffe),
            (0x1_0000_0010, 0x0f, 0x1_0000_000f), (0xa82f_30ea, 0xa82f_9b32, 0xa82f_9b32), (0x8000_0000, 0, 0x1_0000_0000),
            (0x7fff_0000, 0, 0), (3 << 32, 0x8000_0002, 2 << 32 | 0x8000_0002),
        ] as [(UInt64?, UInt32, UInt64)])
    func rebuilt(_ highest: UInt64?, _ low: UInt32, _ whole: UInt64) {
        var window = ReplayWindow()
        if let highest { window.insert(highest) }
        #expect(window.rebuilt(low) == whole)
    }

    @Test("it says what a set of all numbers would say, for any walk")
    func model() {
        for seed in 1...20 {
            var dice = Dice(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15)
            var window = ReplayWindow()
            var seen = Set<UInt64>()
            var highest: UInt64 = 0
            for _ in 0..<5000 {
                let step = [3, 70, 2047, 2048, 5000, 300_000][Int.random(in: 0..<6, using: &dice)]
                let number = UInt64(max(0, Int(highest) + Int.random(in: -step...step / 2, using: &dice)))
                let isNew = !seen.contains(number) && (number > highest || highest - number < 2048 || seen.isEmpty)
                #expect(window.isNew(number) == isNew)
                guard isNew else { continue }
                window.insert(number)
                seen.insert(number)
                highest = max(highest, number)
            }
        }
    }
}
