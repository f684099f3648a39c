import HTTP
import Testing
import Units

@testable import Reporting

@Suite("A DSN")
struct DSNTests {
    @Test("is taken apart into where events go and by which key, and shows no key")
    func parts() throws {
        for (text, url, key, shown) in [
            ("https://abc@errors.example.org/4", "https://errors.example.org/api/4/envelope/", "abc", "errors.example.org, project 4"),
            (
                "https://abc:old@o1.ingest.example.org/5", "https://o1.ingest.example.org/api/5/envelope/", "abc",
                "o1.ingest.example.org, project 5"
            ),
            (
                "http://a_b-c@127.0.0.1:8000/x/y/my-project", "http://127.0.0.1:8000/x/y/api/my-project/envelope/", "a_b-c",
                "127.0.0.1:8000, project my-project"
            ),
            ("https://k@[2001:db8::1]:8443/4/", "https://[2001:db8::1]:8443/api/4/envelope/", "k", "[2001:db8::1]:8443, project 4"),
        ] {
            let dsn = try #require(DSN(text), "\(text)")
            #expect(dsn.envelopes.description == url && dsn.key == Secret(key) && "\(dsn)" == shown && dsn.text == Secret(text))
            #expect(SentryEnvelope.headers(dsn, version: "1")["x-sentry-auth"]?.hasSuffix("sentry_key=\(key)") == true)
        }
    }

    @Test("is nothing that cannot be one")
    func refused() {
        for text in [
            "", "https://errors.example.org/4", "https://abc@errors.example.org", "https://abc@errors.example.org/", "ftp://a@b.org/4",
            "abc@b.org/4",
            "https://a b@b.org/4", "https://a\r\nX: y@b.org/4", "https://@b.org/4", "https://a@b.org/4?x=1", "https://a@b.org/4#x",
            "https://a@b.org/../../x y", "https://a,sentry_key=b@b.org/4", "https://a@b.org/%2e%2e", "https://a@b@c.org/4",
            "https://a@b.org/" + String(repeating: "4", count: 65), "https://a@b.org/" + String(repeating: "4/", count: 300),
        ] { #expect(DSN(text) == nil, "\(text)") }
    }
}
