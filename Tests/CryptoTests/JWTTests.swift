import Crypto
import Testing

@Suite struct JWTTests {
    private struct Claims: Codable, Equatable {
        var sub: String
        var exp: Int
    }

    private let key = randomBytes(32)
    private let claims = Claims(sub: "user", exp: 12)

    @Test("the signature is the one of RFC 7515, appendix A.1")
    func knownAnswer() throws {
        let key = try #require(Base64URL.decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
        let input =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        #expect(Base64URL.encode(HMAC256.authenticate(Array(input.utf8), key: key)) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    }

    @Test("a token gives back its claims")
    func roundTrip() throws {
        let token = try JWT.sign(claims, type: "at+jwt", key: key)
        #expect(try JWT.verify(token, as: Claims.self, type: "at+jwt", key: key) == claims)
    }

    @Test("another key, another type and every changed character are refused")
    func forgeries() throws {
        let token = try JWT.sign(claims, type: "at+jwt", key: key)
        #expect(throws: CryptoError.notAuthentic) { try JWT.verify(token, as: Claims.self, type: "at+jwt", key: randomBytes(32)) }
        #expect(throws: CryptoError.self) { try JWT.verify(token, as: Claims.self, type: "room+jwt", key: key) }
        for index in token.indices {
            var changed = token
            changed.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            #expect(throws: CryptoError.self) { try JWT.verify(changed, as: Claims.self, type: "at+jwt", key: key) }
        }
    }

    @Test("a header that names another algorithm, or none, is refused whatever the signature")
    func algorithms() throws {
        let payload = Base64URL.encode(Array(#"{"exp":12,"sub":"user"}"#.utf8))
        for header in [#"{"alg":"none","typ":"at+jwt"}"#, #"{"alg":"HS512","typ":"at+jwt"}"#, #"{"typ":"at+jwt","alg":"HS256"}"#] {
            let body = "\(Base64URL.encode(Array(header.utf8))).\(payload)"
            let signature = Base64URL.encode(HMAC256.authenticate(Array(body.utf8), key: key))
            #expect(throws: CryptoError.self) { try JWT.verify("\(body).\(signature)", as: Claims.self, type: "at+jwt", key: key) }
            #expect(throws: CryptoError.self) { try JWT.verify("\(body).", as: Claims.self, type: "at+jwt", key: key) }
        }
    }

    @Test("texts that are no tokens are refused", arguments: ["", ".", "..", "a.b.c.d", "....", String(repeating: "a", count: 5000)])
    func garbage(text: String) {
        #expect(throws: CryptoError.self) { try JWT.verify(text, as: Claims.self, type: "at+jwt", key: key) }
    }
}
