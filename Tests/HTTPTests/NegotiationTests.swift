import Testing

@testable import HTTP

@Suite struct NegotiationTests {
    @Test(
        "a range is the part it names",
        arguments: [
            ("bytes=0-0", ByteRange.Choice.part(ByteRange(first: 0, last: 0))),
            ("bytes=5-", .part(ByteRange(first: 5, last: 99))),
            ("bytes=90-200", .part(ByteRange(first: 90, last: 99))),
            ("bytes=-10", .part(ByteRange(first: 90, last: 99))),
            ("bytes=-1000", .part(ByteRange(first: 0, last: 99))),
            ("BYTES= 1-2 ", .part(ByteRange(first: 1, last: 2))),
            ("bytes=100-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=2-1", .whole), ("bytes=0-1,3-4", .whole), ("lines=0-1", .whole), ("bytes=a-b", .whole), ("bytes=", .whole),
            ("bytes=1", .whole), ("bytes=--1", .whole), ("bytes=99999999999999999999-", .whole),
        ])
    func ranges(value: String, expected: ByteRange.Choice) {
        #expect(ByteRange.choose(["Range": value], size: 100, tag: nil, modified: nil) == expected)
    }

    @Test("If-Range keeps the range only for the same strong tag or date")
    func ifRange() throws {
        let tag = try #require(EntityTag(opaque: "v1"))
        func choice(_ condition: String) -> ByteRange.Choice {
            ByteRange.choose(["Range": "bytes=0-1", "If-Range": condition], size: 10, tag: tag, modified: 784_111_777)
        }
        #expect(choice("\"v1\"") == .part(ByteRange(first: 0, last: 1)))
        #expect(choice("W/\"v1\"") == .whole)
        #expect(choice("\"v2\"") == .whole)
        #expect(choice("Sun, 06 Nov 1994 08:49:37 GMT") == .part(ByteRange(first: 0, last: 1)))
        #expect(choice("Sun, 06 Nov 1994 08:49:38 GMT") == .whole)
        #expect(choice("nonsense") == .whole)
        #expect(ByteRange(first: 0, last: 1).contentRange(of: 10) == "bytes 0-1/10")
        #expect(ByteRange.choose(["Range": "bytes=-5"], size: 0, tag: nil, modified: nil) == .unsatisfiable)
    }

    @Test("conditions compare tags as RFC 9110 says")
    func preconditions() throws {
        let tag = try #require(EntityTag(opaque: "a,b"))
        func outcome(_ method: HTTP.Method, _ headers: Headers) -> Precondition {
            Precondition.evaluate(method, headers, tag: tag, modified: 784_111_777)
        }
        #expect(outcome(.get, ["If-None-Match": "\"x\", W/\"a,b\""]) == .notModified)
        #expect(outcome(.head, ["If-None-Match": "*"]) == .notModified)
        #expect(outcome(.put, ["If-None-Match": "*"]) == .failed)
        #expect(outcome(.get, ["If-None-Match": "\"x\""]) == .proceed)
        #expect(outcome(.put, ["If-Match": "W/\"a,b\""]) == .failed)
        #expect(outcome(.put, ["If-Match": "\"a,b\""]) == .proceed)
        #expect(outcome(.get, ["If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"]) == .notModified)
        #expect(outcome(.get, ["If-Modified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"]) == .proceed)
        #expect(outcome(.get, ["If-Modified-Since": "yesterday"]) == .proceed)
        #expect(outcome(.put, ["If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"]) == .failed)
        // What has no tag is still there (RFC 9110 sections 13.1.1 and 13.1.2).
        func untagged(_ headers: Headers) -> Precondition { Precondition.evaluate(.get, headers, tag: nil) }
        #expect(untagged(["If-None-Match": "*"]) == .notModified)
        #expect(untagged(["If-None-Match": "\"x\""]) == .proceed)
        #expect(untagged(["If-Match": "*"]) == .proceed)
        #expect(untagged(["If-Match": "\"x\""]) == .failed)
        #expect(EntityTag("\"") == nil)
        #expect(EntityTag(opaque: "a\"b") == nil)
    }

    @Test(
        "gzip is used where the client takes it",
        arguments: [
            ("gzip", ContentCoding.gzip), ("deflate, gzip;q=0.5", .gzip), ("*", .gzip), ("gzip;q=0", .identity), ("br", .identity),
            ("identity, gzip;q=0.5", .identity), ("gzip;q=1.000, identity;q=0.5", .gzip), ("GZIP ; Q=0.001", .gzip),
            ("gzip;q=x", .identity),
            ("", .identity),
        ])
    func codings(value: String, expected: ContentCoding) {
        #expect(ContentCoding.choose(["Accept-Encoding": value]) == expected)
    }

    @Test(
        "dates are written and read as IMF-fixdate",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] as [(Int64, String)])
    func dates(seconds: Int64, text: String) {
        #expect(HTTPDate.format(seconds) == text)
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test(
        "what is not a date is nil",
        arguments: [
            "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET", "Xxx, 06 Nov 1994 08:49:37 GMT", "",
        ])
    func notDates(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }

    @Test("a cookie is read and written with its attributes")
    func cookies() throws {
        #expect(Cookies.parse(["Cookie": "a=1; b=\"2\"; junk; =x; c=3=4"]).map { "\($0.name)=\($0.value)" } == ["a=1", "b=2", "c=3=4"])
        #expect(Cookies.value("a", ["Cookie": "a=1; a=2"]) == nil)
        let cookie = SetCookie(name: "r", value: "v", path: "/api", maxAge: 60)
        #expect(try cookie.field() == "r=v; Path=/api; Max-Age=60; Secure; HttpOnly; SameSite=Strict")
    }
}
