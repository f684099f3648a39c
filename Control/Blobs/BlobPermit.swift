import Crypto
package import HTTP
package import Units

/// What a signed address lets somebody do with one blob, and until when (SEC-18, THREATS 13).
///
/// A picture's key names its organisation and the digest of its bytes, so that all of them are signed; of an object that is not called by
/// its content the terms are signed as well.
package struct BlobPermit: Sendable, Hashable {
    package enum Use: Sendable, Hashable {
        case read
        /// By this session alone, of so many bytes.
        case write(SessionID, bytes: Int)
        /// By whoever has the address.
        case upload(UploadTerms)
    }

    package let use: Use
    /// Of the blob's key: it names the organisation.
    package let path: String
    /// Unix seconds; not good from then on.
    package let expires: Int64

    package init(_ use: Use, _ key: BlobKey, until expires: Int64) {
        self.use = use
        path = key.path
        self.expires = expires
    }

    package init(_ use: ObjectUse, _ key: ObjectKey, until expires: Int64) {
        switch use {
        case .read: self.use = .read
        case .upload(let terms): self.use = .upload(terms)
        }
        path = key.path
        self.expires = expires
    }

    /// Each part on a line of its own; none of them has a line break in it.
    fileprivate var text: String {
        let use =
            switch self.use {
            case .read: "GET"
            case .write(let session, let bytes): "PUT\n\(session)\n\(bytes)"
            case .upload(let terms): "UPLOAD\n\(terms.bytes)\n\(terms.sha256 ?? "")\n\(terms.type)"
            }
        return "strata-blob 1\n\(path)\n\(expires)\n\(use)"
    }
}

/// Signs permits, and knows its own.
package struct BlobSigner: Sendable {
    private let key: [UInt8]

    /// - Parameter key: 32 bytes that nobody else has.
    package init(key: [UInt8]) { self.key = key }

    /// Source: decisions 'token lifetimes', upload URL 10 min.
    private static let longestSeconds: Int64 = 600
    /// An address to read is the same for so long, so that a browser that has the picture does not ask for it again.
    private static let slotSeconds: Int64 = 300
    /// How far a wall clock may be set back before a permit is not believed.
    private static let setBackSeconds: Int64 = 60

    /// When an address to write ends that is made now.
    package static func writeEnd(_ unixSeconds: Int64) -> Int64 { unixSeconds + longestSeconds }

    /// When an address to read ends that is made now: within five to ten minutes.
    package static func readEnd(_ unixSeconds: Int64) -> Int64 { (unixSeconds / slotSeconds + 2) * slotSeconds }

    /// 43 characters of base64url.
    package func signature(of permit: BlobPermit) -> String {
        Base64URL.encode(HMAC256.authenticate(Array(permit.text.utf8), key: key))
    }

    /// Whether a signature is this permit's and the permit is good now; what is good for longer than any of ours is not.
    package func accepts(_ signature: String, for permit: BlobPermit, at unixSeconds: Int64) -> Bool {
        guard unixSeconds < permit.expires, permit.expires <= unixSeconds + Self.longestSeconds + Self.setBackSeconds,
            let code = Base64URL.decode(signature)
        else { return false }
        return HMAC256.isAuthentic(code, for: Array(permit.text.utf8), key: key)
    }

    // MARK: Addresses of objects

    /// Where objects of the local disk are written and read, below the server's origin.
    package static let door = "/api/v1/objects/"

    /// - Parameter expires: Unix seconds.
    package func link(to use: ObjectUse, _ key: ObjectKey, until expires: Int64) -> ObjectLink {
        var fields: [(String, String)] = []
        var headers: [String: String] = [:]
        if case .upload(let terms) = use {
            fields = [("bytes", "\(terms.bytes)"), ("type", terms.type)]
            if let sha256 = terms.sha256 { fields.append(("sha256", sha256)) }
            headers["Content-Type"] = terms.type
        }
        fields += [("expires", "\(expires)"), ("signature", signature(of: BlobPermit(use, key, until: expires)))]
        let query = fields.map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        return ObjectLink(url: "\(Self.door)\(key.path)?\(query)", headers: headers, expires: expires)
    }

    /// What an address allows, where it is one of ours and good now; nil for every other.
    ///
    /// - Parameter query: its names and values, decoded; each of ours is there once.
    package func use(_ method: Method, _ key: ObjectKey, query: [(String, String)], at unixSeconds: Int64) -> ObjectUse? {
        func value(_ name: String) -> String? {
            let values = query.filter { $0.0 == name }
            return values.count == 1 ? values[0].1 : nil
        }
        guard let expires = value("expires").flatMap({ Int64($0) }), let signature = value("signature") else { return nil }
        let use: ObjectUse
        if method == .get || method == .head {
            use = .read
        } else if method == .put, let bytes = value("bytes").flatMap({ Int($0) }), bytes >= 0, let type = value("type"),
            ObjectLimits.isType(type), value("sha256").map(ObjectLimits.isDigest) ?? !query.contains(where: { $0.0 == "sha256" })
        {
            use = .upload(UploadTerms(bytes: bytes, type: type, sha256: value("sha256")))
        } else {
            return nil
        }
        return accepts(signature, for: BlobPermit(use, key, until: expires), at: unixSeconds) ? use : nil
    }
}
