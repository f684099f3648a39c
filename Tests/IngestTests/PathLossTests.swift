import Testing

@testable import Ingest

struct PathLossTests {
    /// Packets with these sequence numbers, a quarter of a second for each hundred of what was sent.
    private func loss(_ sequences: [UInt32], nonce: UInt32 = 7) -> PathLoss {
        var loss = PathLoss()
        for (index, sequence) in sequences.enumerated() {
            loss.arrived(sequence, of: nonce)
            if index % 100 == 99 { loss.turn() }
        }
        return loss
    }

    @Test("what is missing between the numbers is lost, over the wrap of 32 bits too", arguments: [0, UInt32.max - 500])
    func counts(_ first: UInt32) {
        #expect(loss((0..<1000).map { first &+ $0 }).share == 0)
        let tenth = loss((0..<1000).filter { $0 % 10 != 5 }.map { first &+ UInt32($0) })
        #expect(tenth.share.map { abs($0 - 0.1) < 0.002 } == true)
    }

    @Test("packets that overtake each other are not lost")
    func reordered() {
        let pairs = (0..<500).flatMap { [UInt32(2 * $0 + 1), UInt32(2 * $0)] }
        #expect(loss(pairs).share == 0)
    }

    @Test("a sender that begins anew, or changes its nonce, has lost nothing by that")
    func anew() {
        var loss = loss((0..<500).map { 1_000_000 + $0 })
        for sequence in 0..<500 as Range<UInt32> { loss.arrived(sequence, of: 8) }
        for sequence in 0..<500 as Range<UInt32> { loss.arrived(2_000_000 + sequence, of: 8) }
        #expect(loss.share == 0)
    }

    @Test("it is that of the last five seconds, and unknown of too few packets")
    func window() {
        var loss = loss((0..<1000).filter { $0 % 2 == 1 })
        #expect(loss.share.map { $0 > 0.45 } == true)
        for sequence in 1000..<2000 as Range<UInt32> {
            if sequence % 50 == 0 { loss.turn() }
            loss.arrived(sequence, of: 7)
        }
        #expect(loss.share == 0)
        for _ in 0..<20 { loss.turn() }
        #expect(loss.share == nil)
    }
}
