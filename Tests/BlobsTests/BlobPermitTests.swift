import Crypto
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
}
