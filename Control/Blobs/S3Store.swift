import Crypto
package import HTTP
package import S3
import TLS
package import Units
import Web

/// Objects in a bucket of a store that speaks S3 (STO-05), by the same keys as on disk.
///
/// Their digest goes with them as `x-amz-meta-sha256`; that what arrives is what was sent is held by the digest that each request signs.
package struct S3Store: ObjectStore {
    private let client: S3Client
    private let now: @Sendable () -> Int64

    /// - Parameter now: Unix seconds.
    package init(_ client: S3Client, now: @escaping @Sendable () -> Int64) {
        self.client = client
        self.now = now
    }

    private static let digest = "x-amz-meta-sha256"

    /// Whether the bucket can be used with the key: one page of one object is asked for.
    ///
    /// - Throws: `BlobError` in words for whoever operates it.
    package func check() async throws {
        let answer = try await send(S3Request(.get, "", query: [("list-type", "2"), ("max-keys", "1")]))
        _ = try Self.caught { () throws(S3Fault) in try S3Answers.listing(answer.body) }
    }

    package func put(_ bytes: [UInt8], to key: ObjectKey, type: String) async throws -> ObjectFacts {
        try ObjectLimits.check(bytes.count)
        let sha256 = Hex.encode(SHA256.hash(bytes))
        _ = try await send(S3Request(.put, key.path, headers: [("Content-Type", type), (Self.digest, sha256)], body: bytes))
        return ObjectFacts(key: key, bytes: bytes.count, modified: now(), sha256: sha256, type: type)
    }

    package func get(_ key: ObjectKey, _ range: ByteRange?) async throws -> ObjectBytes? {
        var request = S3Request(.get, key.path, mostAnswer: ObjectLimits.bytes)
        if let range {
            try ObjectLimits.check(range)
            try await check(range, of: key)
            request.headers.append((name: "Range", value: "bytes=\(range.first)-\(range.last)"))
            request.mostAnswer = max(min(range.count, ObjectLimits.bytes), 1 << 20)
        }
        guard let answer = try await found(request) else { return nil }
        guard let range else {
            let facts = Self.facts(key, answer.headers, bytes: answer.body.count)
            guard facts.sha256 == nil || facts.sha256 == Hex.encode(SHA256.hash(answer.body)) else { throw BlobError.damaged(key.path) }
            return ObjectBytes(facts: facts, range: nil, bytes: answer.body)
        }
        return try Self.part(answer.status, answer.headers, answer.body, range, of: key)
    }

    /// A range that is larger than what may be read at once may still end where its object does.
    private func check(_ range: ByteRange, of key: ObjectKey) async throws {
        guard range.count > ObjectLimits.bytes, let size = try await find(key)?.bytes else { return }
        try ObjectLimits.check(min(range.count, size - range.first))
    }

    /// - Throws: `.away` where the store gave something else than what it was asked for.
    private static func part(
        _ status: Status, _ headers: Headers, _ body: [UInt8], _ range: ByteRange, of key: ObjectKey
    ) throws -> ObjectBytes {
        // A store may answer with all of it.
        if status == .ok {
            guard range.first < body.count else { throw BlobError.beyondEnd }
            let last = min(range.last, body.count - 1)
            let given = ByteRange(first: range.first, last: last)
            return ObjectBytes(facts: facts(key, headers, bytes: body.count), range: given, bytes: Array(body[range.first...last]))
        }
        let given = ByteRange(first: range.first, last: range.first + body.count - 1)
        let prefix = "bytes \(given.first)-\(given.last)/"
        guard let text = headers["Content-Range"], text.hasPrefix(prefix), let size = Int(text.dropFirst(prefix.count)),
            given.last == min(range.last, size - 1)
        else { throw BlobError.away("it gave another range of \(key.path) than it was asked for") }
        return ObjectBytes(facts: facts(key, headers, bytes: size), range: given, bytes: body)
    }

    package func find(_ key: ObjectKey) async throws -> ObjectFacts? {
        guard let answer = try await found(S3Request(.head, key.path)) else { return nil }
        guard let bytes = answer.headers["Content-Length"].flatMap({ Int($0) }), bytes >= 0 else {
            throw BlobError.away("it does not say how large \(key.path) is")
        }
        return Self.facts(key, answer.headers, bytes: bytes)
    }

    package func remove(_ key: ObjectKey) async throws { _ = try await found(S3Request(.delete, key.path)) }

    package func list(_ prefix: ObjectPrefix, page: String?, most: Int) async throws -> ObjectPage {
        var query: [S3Signer.Field] = [("list-type", "2"), ("max-keys", "\(most)"), ("prefix", prefix.path)]
        if let page { query.append((name: "continuation-token", value: page)) }
        let answer = try await send(S3Request(.get, "", query: query))
        let listing = try Self.caught { () throws(S3Fault) in try S3Answers.listing(answer.body) }
        let objects = listing.entries.compactMap { entry in
            ObjectKey(entry.key).map { ObjectFacts(key: $0, bytes: entry.bytes, modified: entry.modified, sha256: nil, type: nil) }
        }
        return ObjectPage(objects: objects.filter { $0.key.path.hasPrefix(prefix.path) }, next: listing.next)
    }

    // MARK: Parts

    package func begin(_ key: ObjectKey, type: String, sha256: String?) async throws -> ObjectUpload {
        var fields: [S3Signer.Field] = [("Content-Type", type)]
        if let sha256 { fields.append((name: Self.digest, value: sha256)) }
        let answer = try await send(S3Request(.post, key.path, query: [("uploads", "")], headers: fields))
        return ObjectUpload(key, id: try Self.caught { () throws(S3Fault) in try S3Answers.upload(answer.body) })
    }

    package func send(_ bytes: [UInt8], as number: Int, of upload: ObjectUpload) async throws -> ObjectPart {
        try ObjectLimits.check(bytes.count)
        guard ObjectLimits.parts.contains(number) else { throw BlobError.badParts("there is no part \(number)") }
        let answer = try await send(
            S3Request(.put, upload.key.path, query: [("partNumber", "\(number)"), ("uploadId", upload.id)], body: bytes))
        let tag = try Self.caught { () throws(S3Fault) in
            try S3Answers.word(answer.headers["ETag"], "a part without a tag")
        }
        return ObjectPart(number: number, bytes: bytes.count, tag: tag)
    }

    package func complete(_ upload: ObjectUpload, _ parts: [ObjectPart]) async throws -> ObjectFacts {
        try ObjectLimits.check(parts)
        let body = S3Answers.completion(parts.map { (number: $0.number, tag: $0.tag) })
        let size = parts.reduce(0) { $0 + $1.bytes }
        do {
            _ = try await send(
                S3Request(
                    .post, upload.key.path, query: [("uploadId", upload.id)], headers: [("Content-Type", "application/xml")], body: body))
        } catch BlobError.noUpload {
            // The answer to an attempt before may have been lost on its way: then the object is there.
            guard let facts = try await find(upload.key), facts.bytes == size, facts.modified >= now() - Self.recent else {
                throw BlobError.noUpload
            }
            return facts
        }
        guard let facts = try await find(upload.key) else { throw BlobError.away("what it put together is not there") }
        guard facts.bytes == size else { throw BlobError.badParts("the whole has \(facts.bytes) bytes, not \(size)") }
        return facts
    }

    /// All attempts of a request together, and a clock that is not quite the store's, seconds.
    private static let recent: Int64 = 300

    package func abandon(_ upload: ObjectUpload) async throws {
        do {
            _ = try await found(S3Request(.delete, upload.key.path, query: [("uploadId", upload.id)]))
        } catch BlobError.noUpload {
            return
        }
    }

    // MARK: Addresses and sizes

    /// - Returns: one that a browser sends to the bucket itself: the bucket's own rules have to let the server's origin in (CORS).
    package func link(to use: ObjectUse, _ key: ObjectKey, for seconds: Int64) -> ObjectLink {
        precondition((1...ObjectLimits.linkSeconds).contains(seconds), "an address is good for ten minutes at most")
        let expires = now() + seconds
        switch use {
        case .read:
            // Opened by itself it is no document, whatever it holds (THREATS 13).
            let query: [S3Signer.Field] = [("response-content-disposition", "attachment; filename=\"\(key.name)\"")]
            let url = client.presigned(S3Request(.get, key.path, query: query), seconds: Int(seconds))
            return ObjectLink(url: url, headers: [:], expires: expires)
        case .upload(let terms):
            var headers = ["Content-Type": terms.type]
            if let sha256 = terms.sha256, let bytes = Hex.decode(sha256) {
                headers["x-amz-checksum-sha256"] = base64(bytes)
                headers[Self.digest] = sha256
            }
            // Whoever sends it sends its length as well.
            let signed = headers.map { (name: $0.key, value: $0.value) } + [(name: "Content-Length", value: "\(terms.bytes)")]
            let url = client.presigned(S3Request(.put, key.path, headers: signed), seconds: Int(seconds))
            return ObjectLink(url: url, headers: headers, expires: expires)
        }
    }

    /// Counted by a list, each time: others write to the bucket as well, by addresses of ours.
    package func usage(of organization: OrganizationID) async throws -> ObjectUsage {
        var usage = ObjectUsage()
        try await all(ObjectPrefix(of: organization)) { object in
            usage.objects += 1
            usage.bytes += object.bytes
        }
        return usage
    }

    // MARK: Asking

    private func send(_ request: S3Request) async throws -> ClientResponse {
        do { return try await client.send(request) } catch let fault as S3Fault { throw Self.error(fault) }
    }

    /// nil where there is no such object.
    private func found(_ request: S3Request) async throws -> ClientResponse? {
        do {
            return try await client.send(request)
        } catch let fault as S3Fault {
            if fault.kind == .noObject { return nil }
            throw Self.error(fault)
        }
    }

    private static func caught<Result>(_ body: () throws(S3Fault) -> Result) throws(BlobError) -> Result {
        do throws(S3Fault) { return try body() } catch { throw Self.error(error) }
    }

    private static func error(_ fault: S3Fault) -> BlobError {
        switch fault.kind {
        case .noUpload: .noUpload
        case .beyondEnd: .beyondEnd
        case .badParts: .badParts(fault.description)
        case .tooLarge: .tooLarge(ObjectLimits.bytes + 1, atMost: ObjectLimits.bytes)
        case .away: .away(fault.description)
        case .noObject, .refused: .refused(fault.description)
        }
    }

    private static func facts(_ key: ObjectKey, _ headers: Headers, bytes: Int) -> ObjectFacts {
        ObjectFacts(
            key: key, bytes: bytes, modified: headers["Last-Modified"].flatMap(HTTPDate.parse) ?? 0,
            sha256: headers[digest].flatMap { ObjectLimits.isDigest($0) ? $0 : nil },
            type: headers["Content-Type"].flatMap { ObjectLimits.isType($0) ? $0 : nil })
    }
}
