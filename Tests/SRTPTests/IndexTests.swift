import BondWire
import Testing

@testable import SRTP

@Suite struct IndexTests {
    /// The highest index so far, a sequence number, and the index that it means.
    static let guesses: [(UInt64?, UInt16, UInt64)] = [
        (nil, 0xffff, 0xffff), (0xfffe, 0xffff, 0xffff), (0xffff, 0, 0x1_0000), (0x1_0000, 0xffff, 0xffff), (0x1_7fff, 0xffff, 0x1_ffff),
        (0x1_7ffe, 0xffff, 0xffff), (0x1_8000, 0, 0x1_0000), (0x1_8001, 0, 0x2_0000), (0x5_0005, 0xfff0, 0x4_fff0),
        // Nothing is before the start: what would be is ahead.
        (5, 0xfff0, 0xfff0),
    ]

    @Test("a sequence number means the index nearest to the highest", arguments: guesses)
    func guessed(highest: UInt64?, sequence: UInt16, index: UInt64) {
        var window = ReplayWindow()
        if let highest { window.insert(highest) }
        #expect(window.index(of: sequence) == index)
    }

    @Test("behind the last index of a key there is none")
    func exhausted() {
        var window = ReplayWindow()
        window.insert(1 << 48 - 1)
        #expect(window.index(of: 0) == nil)
        #expect(window.index(of: 0xfff0) == 1 << 48 - 16)
    }
}
