import Units
import XML

/// What the body of a refusal says.
package struct S3Failure: Hashable, Sendable {
    /// A word of the store's, e.g. `NoSuchBucket`.
    package let code: String
    /// One line; bounded, and shows what it says.
    package let message: String
    /// Where the bucket is; of refusals for being elsewhere.
    package let region: String?

    /// nil for what is none.
    package init?(_ body: [UInt8]) {
        // try?: whatever it is, it is no refusal that says why.
        guard let tree = try? XMLTree(body, within: S3Answers.limits), tree.name == "Error", let code = tree["Code"], !code.isEmpty else {
            return nil
        }
        self.code = S3Answers.line(code, upTo: 64)
        message = S3Answers.line(tree["Message"] ?? "", upTo: 200)
        region = tree["Region"].flatMap { $0.isEmpty ? nil : S3Answers.line($0, upTo: 64) }
    }
}

/// One page of the objects of a bucket.
package struct S3Listing: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let key: String
        package let bytes: Int
        /// Unix seconds; 0 where it was not told.
        package let modified: Int64
    }

    package let entries: [Entry]
    /// By which the next page is asked for; nil: there is none.
    package let next: String?
}

/// Reads the documents that stores answer. Bytes of a foreign machine.
package enum S3Answers {
    /// A page has at most a thousand objects, each of some ten elements.
    static let limits = XMLTree.Limits(bytes: 4 << 20, elements: 20_000, depth: 6)
    /// Of what goes back to the store in an address.
    private static let mostWord = 1024

    /// Source: the S3 API reference, ListObjectsV2.
    package static func listing(_ body: [UInt8]) throws(S3Fault) -> S3Listing {
        let tree = try document(body, "ListBucketResult")
        var entries: [S3Listing.Entry] = []
        for child in tree.children where child.name == "Contents" {
            guard let key = child["Key"], let text = child["Size"], let bytes = Int(text), bytes >= 0 else {
                throw strange("an object without a name and a size")
            }
            entries.append(.init(key: key, bytes: bytes, modified: child["LastModified"].flatMap(S3Time.seconds) ?? 0))
        }
        guard tree["IsTruncated"] == "true" else { return S3Listing(entries: entries, next: nil) }
        return S3Listing(entries: entries, next: try word(tree["NextContinuationToken"], "a page without a way to the next"))
    }

    /// Source: the S3 API reference, CreateMultipartUpload.
    package static func upload(_ body: [UInt8]) throws(S3Fault) -> String {
        try word(try document(body, "InitiateMultipartUploadResult")["UploadId"], "an upload without an id")
    }

    /// The request that puts an upload together. Source: the S3 API reference, CompleteMultipartUpload.
    package static func completion(_ parts: [(number: Int, tag: String)]) -> [UInt8] {
        let list = parts.map { "<Part><PartNumber>\($0.number)</PartNumber><ETag>\(escaped($0.tag))</ETag></Part>" }.joined()
        let space = "http://s3.amazonaws.com/doc/2006-03-01/"
        return Array("<CompleteMultipartUpload xmlns=\"\(space)\">\(list)</CompleteMultipartUpload>".utf8)
    }

    /// A word of a store's, as it came, that may go back to it: of ASCII without blanks, not empty.
    package static func word(_ text: String?, _ missing: String) throws(S3Fault) -> String {
        guard let text, !text.isEmpty, text.utf8.count <= mostWord, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw strange(missing)
        }
        return text
    }

    /// For people.
    static func line(_ text: String, upTo most: Int) -> String { String(text.prefix(most)).escaped() }

    static func strange(_ what: String) -> S3Fault { S3Fault(.away, "the store's answer is none: \(what)") }

    private static func document(_ body: [UInt8], _ name: String) throws(S3Fault) -> XMLTree {
        let tree: XMLTree
        do throws(XMLFault) {
            tree = try XMLTree(body, within: limits)
        } catch {
            throw strange(error.description)
        }
        guard tree.name == name else { throw strange("'\(line(tree.name, upTo: 64))' instead of '\(name)'") }
        return tree
    }

    private static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
