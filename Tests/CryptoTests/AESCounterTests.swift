import Crypto
import Testing

@Suite struct AESCounterTests {
    /// Source: FIPS 197, appendix C.3.
    private let cipher = AESCounter(key: (0..<32).map { UInt8($0) })

    @Test("the first block of the key stream is the cipher's of the counter, and the next one that of the counter after it")
    func knownAnswer() {
        var two = [UInt8](repeating: 0, count: 32)
        cipher.transform(&two, counter: (0x0011_2233_4455_6677, 0x8899_aabb_ccdd_eeff))
        #expect(Hex.encode(Array(two.prefix(16))) == "8ea2b7ca516745bfeafc49904b496089")
        var next = [UInt8](repeating: 0, count: 16)
        cipher.transform(&next, counter: (0x0011_2233_4455_6677, 0x8899_aabb_ccdd_ef00))
        #expect(Array(two.suffix(16)) == next)
    }

    @Test("a key of 128 bits gives its cipher's blocks")
    func shortKey() {
        // FIPS 197, appendix C.1.
        var block = [UInt8](repeating: 0, count: 16)
        AESCounter(key: (0..<16).map { UInt8($0) }).transform(&block, counter: (0x0011_2233_4455_6677, 0x8899_aabb_ccdd_eeff))
        #expect(Hex.encode(block) == "69c4e0d86a7b0430d8cdb78070b4c55a")
    }

    @Test("a second time gives the bytes back, of any length")
    func turnedBack() {
        for count in [0, 1, 15, 16, 17, 1400] {
            let bytes = randomBytes(count)
            var turned = bytes
            cipher.transform(&turned, counter: (1, .max))
            #expect(count < 15 || turned != bytes)
            cipher.transform(&turned, counter: (1, .max))
            #expect(turned == bytes)
        }
    }
}
