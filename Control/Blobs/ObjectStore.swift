import Crypto
package import HTTP
package import Units

/// What is known of an object.
package struct ObjectFacts: Sendable, Hashable {
    package let key: ObjectKey
    package let bytes: Int
    /// When it was written, Unix seconds.
    package let modified: Int64
    /// SHA-256 of its bytes, 64 hexadecimal digits in lower case; nil where nobody said it when it was written, and in lists.
    package let sha256: String?
    /// Its media type, as it was said when it was written; nil in lists, and where the store does not know it.
    package let type: String?
}

/// Some of an object's bytes, or all.
package struct ObjectBytes: Sendable, Hashable {
    package let facts: ObjectFacts
    /// nil: all of them.
    package let range: ByteRange?
    package let bytes: [UInt8]
}

package struct ObjectPage: Sendable, Hashable {
    /// By their keys.
    package let objects: [ObjectFacts]
    /// With which the next page is asked for; nil: there is none. A word of the store's own.
    package let next: String?
}

/// An object that is sent in parts, since it is large or not known whole. Nobody sees it before it is put together.
package struct ObjectUpload: Sendable, Hashable {
    package let key: ObjectKey
    /// A word of the store's own.
    package let id: String

    package init(_ key: ObjectKey, id: String) {
        self.key = key
        self.id = id
    }
}

package struct ObjectPart: Sendable, Hashable {
    /// 1 to 10,000.
    package let number: Int
    package let bytes: Int
    /// By which the store knows it again.
    package let tag: String

    package init(number: Int, bytes: Int, tag: String) {
        self.number = number
        self.bytes = bytes
        self.tag = tag
    }
}

/// How much an organisation has stored.
package struct ObjectUsage: Sendable, Hashable {
    package var objects = 0
    package var bytes = 0

    package init(objects: Int = 0, bytes: Int = 0) {
        self.objects = objects
        self.bytes = bytes
    }
}

/// What an address that is good by itself lets somebody do with one object.
package enum ObjectUse: Sendable, Hashable {
    case read
    /// Write exactly this.
    case upload(UploadTerms)
}

/// What may be sent to a signed address, and nothing else (THREATS 13).
package struct UploadTerms: Sendable, Hashable {
    package let bytes: Int
    package let type: String
    /// Of the bytes, 64 hexadecimal digits in lower case; nil where it is not known yet.
    package let sha256: String?

    /// - Parameter type: of a short list of ours, never a stranger's text.
    package init(bytes: Int, type: String, sha256: String?) {
        let isSound = bytes >= 0 && ObjectLimits.isType(type) && (sha256.map(ObjectLimits.isDigest) ?? true)
        precondition(isSound, "terms are checked where they are made")
        self.bytes = bytes
        self.type = type
        self.sha256 = sha256
    }

    /// Whether what has come is what may come.
    package func admits(_ bytes: [UInt8], type: String?) -> Bool {
        bytes.count == self.bytes && type == self.type && (sha256.map { $0 == Hex.encode(SHA256.hash(bytes)) } ?? true)
    }
}

package struct ObjectLink: Sendable, Hashable {
    /// Whole, or from the server's own origin on (`/api/...`).
    package let url: String
    /// What whoever uses it has to send with it.
    package let headers: [String: String]
    /// Unix seconds; not good from then on.
    package let expires: Int64
}

/// What every store takes.
package enum ObjectLimits {
    /// Of an object that is written at once, of a part, and of what is read at once.
    package static let bytes = 64 << 20
    /// Of every part but the last. Source: the S3 user guide, "Multipart upload limits".
    package static let leastPart = 5 << 20
    package static let parts = 1...10_000
    /// Of a page.
    package static let page = 1...1000
    /// Source: decisions 'token lifetimes', upload URL 10 min.
    package static let linkSeconds: Int64 = 600

    /// - Throws: `.tooLarge` for more than is written or read at once.
    static func check(_ bytes: Int) throws(BlobError) {
        guard bytes <= Self.bytes else { throw .tooLarge(bytes, atMost: Self.bytes) }
    }

    /// - Throws: `.beyondEnd` for what is no range of any object.
    static func check(_ range: ByteRange) throws(BlobError) {
        guard range.first >= 0, range.last >= range.first, range.last < 1 << 60 else { throw .beyondEnd }
    }

    /// - Throws: `.badParts` for what no store puts together.
    static func check(_ parts: [ObjectPart]) throws(BlobError) {
        guard !parts.isEmpty else { throw .badParts("there is none") }
        for (part, next) in zip(parts, parts.dropFirst()) {
            guard part.number < next.number else { throw .badParts("part \(next.number) stands behind part \(part.number)") }
            guard part.bytes >= leastPart else { throw .badParts("part \(part.number) is too small") }
        }
    }

    /// One line of ASCII that may stand in a field.
    package static func isType(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    package static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// Where blobs lie: a folder of this machine, or a bucket of any store that speaks S3.
///
/// Writing is whole or not at all, and what is written again is replaced. All calls throw `BlobError` and `CancellationError`; on disk
/// `SystemError` as well.
package protocol ObjectStore: Sendable {
    /// Writes an object of at most `ObjectLimits.bytes`.
    ///
    /// - Parameter type: of a short list of ours, never a stranger's text (`ObjectLimits.isType`).
    /// - Returns: what is stored of it; nothing is lost from then on, even if the power is.
    func put(_ bytes: [UInt8], to key: ObjectKey, type: String) async throws -> ObjectFacts

    /// All of an object, or a range of it, which ends where the object does; nil where there is none. At most `ObjectLimits.bytes`.
    ///
    /// What is read whole is held against its digest, where that is known: `.damaged`.
    func get(_ key: ObjectKey, _ range: ByteRange?) async throws -> ObjectBytes?

    /// nil where there is none.
    func find(_ key: ObjectKey) async throws -> ObjectFacts?

    /// One that is not there is removed already.
    func remove(_ key: ObjectKey) async throws

    /// Those whose key begins with the prefix, by their keys; what is not ours is left out.
    ///
    /// - Parameters:
    ///   - page: `next` of the page before; nil: the first one.
    ///   - most: of a page, `ObjectLimits.page`.
    func list(_ prefix: ObjectPrefix, page: String?, most: Int) async throws -> ObjectPage

    /// Begins an object that comes in parts.
    ///
    /// - Parameter sha256: of the whole, where it is known.
    func begin(_ key: ObjectKey, type: String, sha256: String?) async throws -> ObjectUpload

    /// Each part may be sent again, before the others or after them; the last one counts. All but the last have `ObjectLimits.leastPart`.
    func send(_ bytes: [UInt8], as number: Int, of upload: ObjectUpload) async throws -> ObjectPart

    /// Puts an object together, of parts by their numbers.
    ///
    /// - Throws: `.noUpload`; `.badParts` where one is not what was sent: the upload stays.
    func complete(_ upload: ObjectUpload, _ parts: [ObjectPart]) async throws -> ObjectFacts

    /// Gives an upload up; one that is not there is given up already.
    func abandon(_ upload: ObjectUpload) async throws

    /// An address that is good by itself.
    ///
    /// - Parameter seconds: how long from now on, `ObjectLimits.linkSeconds` at most.
    func link(to use: ObjectUse, _ key: ObjectKey, for seconds: Int64) async throws -> ObjectLink

    /// How much an organisation has.
    func usage(of organization: OrganizationID) async throws -> ObjectUsage
}

extension ObjectStore {
    /// - Throws: `.quota` where an organisation would have more than `limit` bytes with so many more.
    package func admit(_ bytes: Int, of organization: OrganizationID, within limit: Int) async throws {
        let used = try await usage(of: organization).bytes
        guard used + bytes <= limit else { throw BlobError.quota(used: used, limit: limit) }
    }

    /// By their keys, all of them.
    package func all(_ prefix: ObjectPrefix, _ body: (ObjectFacts) async throws -> Void) async throws {
        var page: String?
        repeat {
            let listed = try await list(prefix, page: page, most: ObjectLimits.page.upperBound)
            for object in listed.objects { try await body(object) }
            page = listed.next
        } while page != nil
    }
}
