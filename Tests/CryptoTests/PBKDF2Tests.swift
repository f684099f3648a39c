import Crypto
import Testing

@Suite struct PBKDF2Tests {
    @Test("PBKDF2 gives what another implementation gives")
    func derived() {
        // Python's hashlib.pbkdf2_hmac.
        let key = PBKDF2.derive(Array("0123456789abcdefghij".utf8), salt: [0x28, 0x03, 0xf4, 0x30], iterations: 1024, bytes: 32)
        #expect(Hex.encode(key) == "61fb18c9199d02d263a59dda0514cfda82c65ab1fb845e2cac3146815cc4c203")
    }
}
