import Crypto
import Testing

@Suite struct HMACSHA1Tests {
    /// Key, text and code.
    static let codes: [([UInt8], String, String)] = [
        ([UInt8](repeating: 0x0b, count: 20), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
        (Array("Jefe".utf8), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            [UInt8](repeating: 0xaa, count: 80), "Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        ),
    ]

    @Test("the codes are those of RFC 2202, section 3", arguments: codes)
    func vectors(key: [UInt8], words: String, digits: String) {
        let (code, text) = (HMACSHA1(key: key), Array(words.utf8))
        #expect(Hex.encode(code.tag(text)) == digits)
        // A second time, and in parts.
        #expect(Hex.encode(code.tag(Array(text.prefix(3)), [], Array(text.dropFirst(3)))) == digits)
    }

    @Test("of a packet and a word behind it, a code is as long as is asked for, and held against in full")
    func packets() {
        let code = HMACSHA1(key: [1, 2, 3])
        let packet = [UInt8](repeating: 5, count: 100)
        let whole = code.tag(packet, [0, 1, 2, 3])
        var tag = [UInt8](repeating: 0, count: 10)
        packet.withUnsafeBytes { packet in tag.withUnsafeMutableBytes { code.write(packet, 0x0001_0203, to: $0) } }
        #expect(tag == Array(whole.prefix(10)))
        func isAuthentic(_ tag: [UInt8], _ word: UInt32) -> Bool {
            packet.withUnsafeBytes { packet in tag.withUnsafeBytes { code.isAuthentic($0, packet, word) } }
        }
        #expect(isAuthentic(tag, 0x0001_0203))
        #expect(!isAuthentic(tag, 0x0001_0204))
        for bit in 0..<80 {
            var bad = tag
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(!isAuthentic(bad, 0x0001_0203))
        }
    }
}
