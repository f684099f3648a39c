import Crypto
import Testing
import Units

@testable import Identity

@Suite("Enrollment token")
struct EnrollmentTokenTests {
    private let id = EnrollmentTokenID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!

    @Test("a token is read back as it was written", arguments: [EnrollmentToken.Authority.system, .pinned(sha256: randomBytes(32))])
    func roundTrip(authority: EnrollmentToken.Authority) throws {
        let token = EnrollmentToken.make(id: id, authority: authority)
        let read = try #require(EnrollmentToken(token.text))
        #expect(read == token && read.hash == token.hash && read.authority == authority && read.id == id)
    }

    @Test("two tokens never share a secret, and what control keeps does not show it")
    func secret() {
        let first = EnrollmentToken.make(id: id, authority: .system)
        let second = EnrollmentToken.make(id: id, authority: .system)
        #expect(first.hash != second.hash)
        #expect(first.hash.count == 32)
        #expect("\(first)" == "enrollment token 01ARZ3NDEKTSV4RRFFQ69G5FAV")
        #expect(!first.text.revealed.contains(Base64URL.encode(first.hash)))
    }

    @Test("anything but the canonical text is refused")
    func strict() {
        let secret = Base64URL.encode([UInt8](repeating: 7, count: 32))
        let pin = Base64URL.encode([UInt8](repeating: 9, count: 32))
        let good = "strata1.\(id.text).\(secret).\(pin)"
        #expect(EnrollmentToken(Secret(good)) != nil)
        let bad = [
            "", ".", "...", good + "\n", " " + good, good + ".", "strata2.\(id.text).\(secret).\(pin)", "strata1.\(id.text).\(secret)",
            "strata1.\(id.text.lowercased()).\(secret).\(pin)", "strata1.\(id.text).\(secret.dropLast()).\(pin)",
            "strata1.\(id.text).\(secret.dropLast())d.\(pin)", "strata1.\(id.text).\(secret)=.\(pin)", "strata1.\(id.text).\(secret).",
            "strata1.\(id.text).\(secret).System", "strata1.\(id.text).\(Base64URL.encode([1, 2, 3])).\(pin)",
            "strata1.\(id.text).\(secret).\(Base64URL.encode([1, 2, 3]))", String(repeating: "a", count: 1_000_000),
        ]
        for text in bad { #expect(EnrollmentToken(Secret(text)) == nil, "\(text.prefix(120))") }
    }
}

@Suite("Server origin")
struct ServerOriginTests {
    @Test(
        "an origin is canonical",
        arguments: [
            ("https://Live.Example.org", "https://live.example.org"), ("https://live.example.org:443/", "https://live.example.org"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"), ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:8080", "http://localhost:8080"), ("http://[::1]:80", "http://[::1]"),
        ])
    func canonical(text: String, expected: String) throws {
        #expect(try ServerOrigin(text).text == expected)
    }

    @Test(
        "plain HTTP leaves this machine never, and an origin has no path",
        arguments: [
            "http://live.example.org", "http://10.0.0.1", "http://127.0.0.1.example.org", "http://127.example", "ws://127.0.0.1",
            "https://a/b", "https://a?b", "https://user@a", "https://a:0", "live.example.org", "",
        ])
    func refused(text: String) {
        #expect(throws: IdentityError.self) { try ServerOrigin(text) }
    }

    @Test("the URLs that a device dials follow from it")
    func urls() throws {
        let origin = try ServerOrigin("https://live.example.org:8443")
        #expect(origin.enrollURL == "https://live.example.org:8443/api/v1/enroll")
        #expect(origin.connectURL == "wss://live.example.org:8443/api/v1/devices/connect")
        #expect(try ServerOrigin("http://127.0.0.1:1").connectURL == "ws://127.0.0.1:1/api/v1/devices/connect")
    }
}
