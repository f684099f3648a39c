import Crypto
import Testing

@Suite struct HMACSHA1Tests {
    @Test(
        "the codes are those of RFC 2202, section 3",
        arguments: [
            ([UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8), "b617318655057264e28bc0b6fb378c8ef146be00"),
            (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ([UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
            (
                [UInt8](repeating: 0xaa, count: 80), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "aa4ae5e15272d00e95705637ce8a3b55ed402112"
            ),
        ])
    func vectors(key: [UInt8], text: [UInt8], digits: String) {
        let code = HMACSHA1(key: key)
        #expect(Hex.encode(code.tag(over: text)) == digits)
        // A second time, and in parts.
        #expect(Hex.encode(code.tag(over: Array(text.prefix(3)), [], Array(text.dropFirst(3)))) == digits)
    }

    @Test("of a packet and a word behind it, a code is as long as is asked for, and held against in full")
    func packets() {
        let code = HMACSHA1(key: [1, 2, 3])
        let packet = [UInt8](repeating: 5, count: 100)
        let whole = code.tag(over: packet, [0, 1, 2, 3])
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
