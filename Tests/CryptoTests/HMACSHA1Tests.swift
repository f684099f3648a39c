import Crypto
import Testing

@Suite struct HMACSHA1Tests {
    @Test("HMAC-SHA-1 gives the codes of RFC 2202, cases 1, 2, 3, 6 and 7")
    func vectors() {
        let long = [UInt8](repeating: 0xaa, count: 80)
        let cases: [(key: [UInt8], message: [UInt8], code: String)] = [
            ([UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8), "b617318655057264e28bc0b6fb378c8ef146be00"),
            (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ([UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
            (long, Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8), "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
            (
                long, Array("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".utf8),
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"
            ),
        ]
        for (key, message, code) in cases { #expect(Hex.encode(HMACSHA1(key: key).tag(over: message)) == code) }
    }

    @Test("a code begins anew each time, and its parts are one message")
    func again() {
        let code = HMACSHA1(key: [1, 2, 3])
        let whole = code.tag(over: [1, 2, 3, 4, 5])
        #expect(whole.count == HMACSHA1.byteCount)
        #expect(code.tag(over: [1, 2], [], [3, 4, 5]) == whole)
        #expect(code.tag(over: [1, 2, 3, 4]) != whole)
        #expect(code.tag(over: [1, 2, 3, 4, 5]) == whole)
    }

    @Test("an empty key and an empty message are defined")
    func empty() {
        #expect(Hex.encode(HMACSHA1(key: []).tag(over: [])) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d")
        #expect(Hex.encode(HMACSHA1(key: []).tag()) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d")
    }
}
