import Testing
import Units

@testable import Blobs

/// The id of a session of a test's own.
func session(_ number: Int) -> ULID {
    var random = SystemRandomNumberGenerator()
    return ULID(unixMs: 1_800_000_000_000 + Int64(number), random: &random)
}

@Suite("The key of an object")
struct ObjectKeyTests {
    private let own = organization(1)

    @Test("is a path of the layout, and is read from it again")
    func layout() throws {
        let session = session(1)
        let places: [(ObjectKey.Place, String)] = [
            (.branding, "branding"), (.avatars, "avatars"), (.exports, "exports"), (.session(session, nil), "sessions/\(session.text)"),
            (.session(session, .chunks), "sessions/\(session.text)/chunks"), (.session(session, .iso), "sessions/\(session.text)/iso"),
            (.session(session, .composite), "sessions/\(session.text)/composite"),
            (.session(session, .derived), "sessions/\(session.text)/derived"),
        ]
        for (place, folder) in places {
            let key = try #require(ObjectKey("a-1_b.webm", in: place, of: own))
            #expect(key.path == "org/\(own)/\(folder)/a-1_b.webm")
            #expect(ObjectKey(key.path) == key && key.path.hasPrefix(ObjectPrefix(place, of: own).path))
            #expect(key.path.hasPrefix(ObjectPrefix(of: own).path))
        }
        let picture = BlobKey(Pictures.png, .png, in: .avatars, of: own)
        #expect(ObjectKey(picture).path == picture.path && ObjectKey(picture.path) == ObjectKey(picture))
    }

    @Test(
        "is no other path and no hidden one, however it is written",
        arguments: [
            "", ".", "..", "../x", "a/b", "/a", "a/", ".a", "-a", "_a", "a b", "a\u{0}", "a\nb", "a%2Fb", "a\\b", "é", "e\u{301}", "a:b",
            "a?b",
            "a*", "~a", "a\u{2028}", ".sum-a", ".draft-a", "chunks", "derived", String(repeating: "a", count: 129),
        ])
    func hostile(_ name: String) {
        #expect(ObjectKey(name, in: .session(session(1), nil), of: own) == nil)
        #expect(ObjectKey("org/\(own)/sessions/\(session(1).text)/\(name)") == nil)
    }

    @Test("is none where the path leads elsewhere")
    func elsewhere() {
        let session = session(1).text
        for path in [
            "", "/", "org", "org/\(own)", "org/\(own)/", "org/\(own)/branding", "org/\(own)/branding/", "org/\(own)/other/a",
            "/org/\(own)/exports/a",
            "org//exports/a", "org/\(own)//a", "org/\(own)/exports/../a", "org/\(own)/exports/a/b", "org/x/exports/a",
            "other/\(own)/exports/a",
            "org/\(own)/sessions/a", "org/\(own)/sessions/x/a", "org/\(own)/sessions/\(session)/other/a",
            "org/\(own)/sessions/\(session)/chunks/a/b", "org/\(own)/sessions/../\(session)/a", "org/\("\(own)".lowercased())/exports/a",
        ] {
            #expect(ObjectKey(path) == nil, "\(path)")
        }
    }
}
