import Testing

@testable import HTTP

@Suite struct URLPartsTests {
    @Test(
        "a URL comes apart and goes together again",
        arguments: [
            ("https://Live.Example.org/a/b?c=d", "https://live.example.org/a/b?c=d"), ("http://10.0.0.1:8080", "http://10.0.0.1:8080/"),
            ("wss://[2001:DB8::1]:443/x", "wss://[2001:db8::1]/x"), ("RTMP://host/app/key?x", "rtmp://host/app/key?x"),
            ("rtmps://host:1936/app", "rtmps://host:1936/app"),
            ("srt://[::ffff:1.2.3.4]:9000?mode=caller", "srt://[::ffff:1.2.3.4]:9000/?mode=caller"),
            ("https://a:65535/%41", "https://a:65535/%41"),
        ])
    func accepted(text: String, canonical: String) throws {
        let url = try URLParts(text)
        #expect(url.description == canonical)
        #expect(try URLParts(canonical) == url)
    }

    @Test(
        "what is not strictly a URL of ours is refused",
        arguments: [
            "", "example.org", "//example.org", "ftp://a/", "https:/a", "https://", "https:///x", "https://u@a/", "https://u:p@a/",
            "https://a:0/",
            "https://a:65536/", "https://a:/", "https://a:8 0/", "https://a:+80/", "srt://a", "https://a b/", "https://a/b c",
            "https://a/#f",
            "https://a#f", "https://a/%", "https://a/%0a", "https://a/?%00", "https://a/\n", "https://[::1/", "https://[::1]x/",
            "https://[fe80::1%25eth0]/",
            "https://1.2.3/", "https://1.2.3.256/", "https://01.2.3.4/", "https://-a/", "https://a..b/", "https://[1:2:3:4:5:6:7:8:9]/",
            "https://[1::2::3]/", "https://[12345::]/", "https://ä.example/", "https://a/ä", "https://a\\@b/", "javascript:alert(1)",
            "https://2130706433/",
        ])
    func refused(text: String) {
        #expect(throws: URLParts.Fault.self) { try URLParts(text) }
    }

    @Test("only the schemes asked for are taken")
    func schemes() {
        #expect(throws: URLParts.Fault.self) { try URLParts("http://a/", schemes: [.https]) }
        #expect(throws: Never.self) { try URLParts("https://a/", schemes: [.https]) }
    }

    @Test("percent coding goes there and back")
    func percent() {
        let text = "a b/ä?&=+%~"
        #expect(PercentCoding.encode(text) == "a%20b%2F%C3%A4%3F%26%3D%2B%25~")
        #expect(PercentCoding.decode(PercentCoding.encode(text)) == text)
        #expect(PercentCoding.decode("%") == nil)
        #expect(PercentCoding.decode("%ff") == nil)
        #expect(PercentCoding.form("a=1&b&=c&&d=%zz+").map { "\($0.0)=\($0.1)" } == ["a=1", "b=", "=c", "d=%zz+"])
    }
}
