import Testing

@testable import Redaction

@Suite("A redactor")
struct RedactorTests {
    /// The secret parts of each text, of which nothing may be left.
    private static let texts: [(text: String, hidden: [String])] = [
        ("no mail for alice@example.org today", ["alice", "example.org"]),
        ("<Alice.B+tag@mail.example.org>, bob@x", ["Alice", "tag", "bob"]),
        ("jürgen@bücher.example was here", ["rgen", "cher"]),
        ("\"odd name\"@example.org", ["odd name"]), ("root@[192.0.2.7]", ["root", "192"]),
        ("refused by 192.0.2.17:443, ::ffff:10.1.2.3 and [2001:db8::1]:80", ["192.0", "10.1", "2001", "db8"]),
        ("2001:db8:1:2:3:4:5:6 fe80::1: gone, ec2-3-120-55-66.example.org", ["2001", "fe80", "120-55"]),
        ("aa:bb:cc:dd:ee:ff", ["aa:bb", "ee:ff"]),
        ("Authorization: Bearer abc", ["abc"]), ("authorization=\"Basic dXNlcjpwYXNz\"", ["dXNl"]),
        ("Cookie: a=1; strata_refresh=xyz; other", ["a=1", "xyz", "other"]),
        ("password=hunter2 and more", ["hunter2"]), ("{\"newPassword\": \"hunter two\", \"x\": 1}", ["hunter", "two"]),
        ("{\\\"password\\\":\\\"hunter2\\\"}", ["hunter2"]), ("the password hunter2 is wrong", ["hunter2"]),
        ("api_key: k1, X-Api-Key = k2; stream-key=>k3", ["k1", "k2", "k3"]), ("tokens=[\"t1\",\"t2\"]", ["t1", "t2"]),
        ("rtmp://a.example.org/live/abcd-efgh", ["abcd", "efgh"]), ("rtmps://u:p@a.example.org:443/app/k/e/y?x=1", ["u:p", "k/e", "x=1"]),
        ("srt://host.example.org:9000?streamid=me&passphrase=long", ["me&", "long"]),
        ("GET https://example.org/a?ticket=abc#frag failed", ["ticket", "abc", "frag"]),
        ("/api/v1/live?ticket=abc&since=4 and /invitation#token", ["abc", "since", "#token"]),
        ("https://9f8b7c6d@errors.example.org/4", ["9f8b"]),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s5Zr_k", ["eyJ", "s5Zr"]),
        ("strata_abcdef was refused, whsec_MfKQ9r8GKYqrTwjU too", ["abcdef", "MfKQ"]),
        ("K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", ["K5oZ", "NDN", "pI4"]),
        ("4bf92f3577b34da6a3ce929d0e0e4736", ["4bf9"]), ("code 7K2Q-9XWB-3MRD-HT5A", ["7K2Q", "HT5A"]),
    ]

    @Test("leaves nothing of addresses, passwords, keys, tokens and queries", arguments: texts.indices)
    func forms(index: Int) {
        let (text, hidden) = Self.texts[index]
        expect(Redactor.redacted(text), without: hidden, text)
    }

    @Test("finds them encoded as well: in percent, in JSON, in HTML, in layers, in wide letters, with what nobody sees between")
    func encoded() {
        for (text, hidden) in Self.texts {
            let percent = text.utf8.map { "%" + String(UInt32($0) + 0x100, radix: 16).dropFirst() }.joined()
            let json = text.unicodeScalars.map { "\\u" + String($0.value + 0x10000, radix: 16).dropFirst() }.joined()
            let html = text.unicodeScalars.map { "&#\($0.value);" }.joined()
            let layers = String(percent.flatMap { $0 == "%" ? "%2525" : String($0) })
            let wide = String(
                String.UnicodeScalarView(
                    text.unicodeScalars.map { (0x21...0x7e).contains($0.value) ? Unicode.Scalar($0.value + 0xfee0) ?? $0 : $0 }))
            let unseen = text.unicodeScalars.map { "\($0)\u{200b}\u{200d}\u{ad}" }.joined()
            // A blank ends no word in percent-encoding: more goes then.
            for form in [percent, json, html, layers, wide, unseen] { expect(Redactor.redacted(form), without: hidden, form) }
        }
    }

    @Test("finds a token that stands on two lines, wherever it is broken")
    func broken() {
        for token in ["s5ZrK5oZfzN95Z9UVu1EsfQmfVNQ", "4bf92f3577b34da6a3ce929d0e0e4736", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s5Zr_k"] {
            for place in 1..<token.count {
                let cut = token.index(token.startIndex, offsetBy: place)
                for end in ["\n", "\r\n", "\n    ", "\\n", "%0A", "\\r\\n"] {
                    let shown = Redactor.redacted("it is \(token[..<cut])\(end)\(token[cut...]) here")
                    let expected = token.split(separator: ".").map { _ in "[secret]" }.joined(separator: ".")
                    #expect(shown.filter { !$0.isWhitespace } == "itis\(expected)here", "\(place) \(end.debugDescription): \(shown)")
                }
            }
        }
    }

    @Test("leaves what says what happened")
    func kept() {
        for text in [
            "the database is locked", "sqlite3_step: database or disk is full (13)", "01ARZ3NDEKTSV4RRFFQ69G5FAV is gone",
            "GET /api/v1/broadcasts/{id}/outputs was answered with 500 after 2026-11-22T11:21:02.120Z", "it took 12.5 ms at 11:21:02",
            "SQLiteError(function: \"sqlite3_step\", code: 13, message: \"disk I/O error\")", "version 1.2.3",
            "errors.example.org: timed out",
            "at render (/assets/Main-ABCDEFGH.js:1:23456)", "control_flight_records_waiting", "disk_full, task_list",
            "withCheckedThrowingContinuation", "",
            "…",
        ] { #expect(Redactor.redacted(text) == text) }
        #expect(Redactor.redacted("https://example.org:8443/api/v1/setup?x=1") == "https://example.org:8443/api/v1/setup?[query]")
        #expect(Redactor.redacted("rtmp://a.example.org/live/key") == "rtmp://a.example.org/live/[secret]")
        #expect(Redactor.redacted("from 192.0.2.1 to bob@x") == "from [address] to [mail]")
    }

    @Test("says nothing of a value whose name says that it is a secret")
    func names() {
        for name in ["password", "new_password", "streamKey", "X-Api-Key", "access_token", "Set-Cookie", "ticket", "email", "dsn"] {
            #expect(Redactor.redacted("x", named: name) == "[secret]", "\(name)")
        }
        for name in ["error", "broadcast", "path", "attempt", "reason", "count"] { #expect(Redactor.redacted("x", named: name) == "x") }
    }

    @Test("changes nothing that it has changed before, and ends with any text, of any length")
    func any() {
        for (text, _) in Self.texts {
            let once = Redactor.redacted(text)
            #expect(Redactor.redacted(once) == once)
        }
        let letters = Array("ab1@.:/?#=%&\"' \n\\u0[]{}-_~é\u{202e}")
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let text = String((0..<Int.random(in: 0...200, using: &generator)).compactMap { _ in letters.randomElement(using: &generator) })
            let shown = Redactor.redacted(text)
            #expect(shown.utf8.count <= 8 * text.utf8.count + 8)
        }
        for piece in [
            "a@", "a@ ", "password=", "password= ", "%25", "a://?= ", "1.1 ", ":: ", "[ ", "\" ", "&# ", "\\u0025 ", "eyJ. ", "a\n",
        ] {
            let long = String(repeating: piece, count: 100_000)
            #expect(Redactor.redacted(long, upTo: 100).unicodeScalars.count <= 101)
        }
        #expect(Redactor.redacted("%" + String(repeating: "25", count: 30) + "40") == "[unreadable]")
        // Half of it would look like a word.
        let cut = String(repeating: "word ", count: 3276) + "s5ZrK5oZfzN95Z9UVu1EsfQmfVNQ"
        #expect(!Redactor.redacted(cut, upTo: 100_000).contains("s5Zr"))
    }

    private func expect(_ shown: String, without hidden: [String], _ text: String) {
        for part in hidden { #expect(shown.firstRange(of: part) == nil, "\(part) of \(text): \(shown)") }
    }
}
