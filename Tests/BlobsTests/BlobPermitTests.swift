import Crypto
import HTTP
import Testing
import Units

@testable import Blobs

/// Ids of a test's own.
func organization(_ number: Int) -> OrganizationID {
    var random = SystemRandomNumberGenerator()
    return OrganizationID(ULID(unixMs: 1_800_000_000_000 + Int64(number), random: &random))
}

@Suite("A signed address")
struct BlobPermitTests {
    private let signer = BlobSigner(key: Array(repeating: 7, count: 32))
    private let own = organization(1)
    private let now: Int64 = 1_800_000_000

    private func session() -> SessionID {
        var random = SystemRandomNumberGenerator()
        return SessionID(ULID(unixMs: 1, random: &random))
    }

    @Test("opens what it was signed for and nothing else: another use, key, end, session or number of bytes")
    func bound() {
        let key = BlobKey([1], .png, in: .avatars, of: own), mine = session()
        let write = BlobPermit(.write(mine, bytes: 1), key, until: now + 600)
        let read = BlobPermit(.read, key, until: now + 600)
        let (forWrite, forRead) = (signer.signature(of: write), signer.signature(of: read))
        #expect(signer.accepts(forWrite, for: write, at: now) && signer.accepts(forRead, for: read, at: now))
        #expect(forRead.utf8.count == 43)
        let others = [
            BlobPermit(.write(mine, bytes: 2), key, until: now + 600), BlobPermit(.write(session(), bytes: 1), key, until: now + 600),
            BlobPermit(.write(mine, bytes: 1), key, until: now + 599),
            BlobPermit(.write(mine, bytes: 1), BlobKey([2], .png, in: .avatars, of: own), until: now + 600),
            BlobPermit(.write(mine, bytes: 1), BlobKey([1], .webp, in: .avatars, of: own), until: now + 600),
            BlobPermit(.write(mine, bytes: 1), BlobKey([1], .png, in: .branding, of: own), until: now + 600),
            BlobPermit(.write(mine, bytes: 1), BlobKey([1], .png, in: .avatars, of: organization(2)), until: now + 600), read,
        ]
        for other in others { #expect(!signer.accepts(forWrite, for: other, at: now), "\(other)") }
        #expect(!signer.accepts(forRead, for: write, at: now))
        #expect(!BlobSigner(key: Array(repeating: 8, count: 32)).accepts(forRead, for: read, at: now))
        for forged in ["", forRead + "A", String(forRead.dropLast()), String(repeating: "A", count: 43), "?"] {
            #expect(!signer.accepts(forged, for: read, at: now))
        }
    }

    @Test("is good until its end, and for ten minutes and the minute that a clock may be set back at most")
    func ends() {
        let key = BlobKey([1], .png, in: .avatars, of: own)
        func accepts(_ expires: Int64, at time: Int64) -> Bool {
            let permit = BlobPermit(.read, key, until: expires)
            return signer.accepts(signer.signature(of: permit), for: permit, at: time)
        }
        #expect(accepts(now + 1, at: now) && !accepts(now, at: now) && !accepts(now - 1, at: now))
        #expect(accepts(now + 660, at: now) && !accepts(now + 661, at: now) && !accepts(.max, at: now) && !accepts(.min, at: now))
        #expect(BlobSigner.writeEnd(now) == now + 600)
        for time in now..<now + 700 {
            let end = BlobSigner.readEnd(time)
            #expect((301...600).contains(end - time) && end % 300 == 0)
        }
    }

    /// What an address says, as a router reads it.
    private func read(_ url: String) throws -> (key: ObjectKey, query: [(String, String)]) {
        let mark = try #require(url.firstIndex(of: "?"))
        let key = try #require(ObjectKey(String(url[..<mark].dropFirst(BlobSigner.door.count))))
        return (key, PercentCoding.form(url[url.index(after: mark)...]))
    }

    @Test("of an object allows what it was signed for, in the way it was signed for, and nothing that is written into it later")
    func objects() throws {
        let key = try #require(ObjectKey("0001.webm", in: .session(session().ulid, .chunks), of: own))
        let terms = UploadTerms(bytes: 5, type: "video/webm;codecs=\"vp8, opus\"", sha256: Hex.encode(SHA256.hash([1, 2, 3, 4, 5])))
        let write = signer.link(to: .upload(terms), key, until: now + 600)
        #expect(write.url.hasPrefix("/api/v1/objects/\(key.path)?") && write.headers == ["Content-Type": terms.type])
        let parsed = try read(write.url), query = parsed.query
        #expect(parsed.key == key && signer.use(.put, key, query: query, at: now) == .upload(terms))
        for method in [HTTP.Method.get, .head, .delete, .post, .patch] { #expect(signer.use(method, key, query: query, at: now) == nil) }
        #expect(signer.use(.put, key, query: query, at: now + 600) == nil && signer.use(.put, key, query: [], at: now) == nil)
        let other = try #require(ObjectKey("0002.webm", in: key.place, of: own))
        let foreign = try #require(ObjectKey("0001.webm", in: key.place, of: organization(2)))
        #expect(signer.use(.put, other, query: query, at: now) == nil && signer.use(.put, foreign, query: query, at: now) == nil)
        for (name, value) in [
            ("bytes", "6"), ("bytes", "-1"), ("type", "text/html"), ("sha256", String(repeating: "0", count: 64)),
            ("expires", "\(now + 601)"),
        ] {
            let changed = query.map { $0.0 == name ? ($0.0, value) : $0 }
            #expect(signer.use(.put, key, query: changed, at: now) == nil, "\(name)=\(value)")
            #expect(signer.use(.put, key, query: query + [(name, value)], at: now) == nil, "a second \(name)")
            #expect(signer.use(.put, key, query: query.filter { $0.0 != name }, at: now) == nil, "no \(name)")
        }
        #expect(BlobSigner(key: Array(repeating: 8, count: 32)).use(.put, key, query: query, at: now) == nil)
    }

    @Test("to read an object is good for nothing else, whole or in part")
    func reading() throws {
        let key = try #require(ObjectKey("a.mp4", in: .session(session().ulid, .derived), of: own))
        let query = try read(signer.link(to: .read, key, until: now + 60).url).query
        #expect(signer.use(.get, key, query: query, at: now) == .read && signer.use(.head, key, query: query, at: now) == .read)
        let writing = query + [("bytes", "1"), ("type", "a/b")]
        #expect(signer.use(.put, key, query: query, at: now) == nil && signer.use(.put, key, query: writing, at: now) == nil)
        #expect(signer.use(.get, key, query: query, at: now + 60) == nil)
    }

    @Test("lets come what it names and nothing else")
    func terms() {
        let content: [UInt8] = [1, 2, 3]
        let terms = UploadTerms(bytes: 3, type: "video/webm", sha256: Hex.encode(SHA256.hash(content)))
        #expect(terms.admits(content, type: "video/webm") && !terms.admits(content, type: "text/html") && !terms.admits(content, type: nil))
        #expect(!terms.admits([1, 2, 4], type: "video/webm") && !terms.admits([1, 2], type: "video/webm"))
        let open = UploadTerms(bytes: 3, type: "video/webm", sha256: nil)
        #expect(open.admits([1, 2, 4], type: "video/webm") && !open.admits([1, 2, 3, 4], type: "video/webm"))
    }
}
