import Crypto
package import HTTP
package import Units

/// Signs requests to a store, in their head or in their query.
///
/// Source: AWS Signature Version 4 as the S3 API reference has it ("Authenticating Requests", by the Authorization header and by query
/// parameters): unlike for other services, paths are escaped once and nothing in them is made shorter.
package struct S3Signer: Sendable {
    package typealias Field = (name: String, value: String)

    /// What is signed of a request.
    package struct Subject: Sendable {
        package var method: Method
        /// As it stands in the request line, escaped.
        package var path: String
        /// Unescaped.
        package var query: [Field]
        /// Host among them.
        package var headers: [Field]

        package init(_ method: Method, path: String, query: [Field] = [], headers: [Field]) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
        }
    }

    private static let algorithm = "AWS4-HMAC-SHA256"
    /// In the place of a body's digest where the body is not known yet.
    private static let unsigned = "UNSIGNED-PAYLOAD"

    private let accessKey: String
    private let secret: Secret
    private let region: String

    package init(accessKey: String, secret: Secret, region: String) {
        self.accessKey = accessKey
        self.secret = secret
        self.region = region
    }

    /// The value of the field Authorization.
    ///
    /// - Parameter digest: SHA-256 of the body, as `x-amz-content-sha256` says it, which is to be among the headers, as is `x-amz-date`.
    package func authorization(_ subject: Subject, digest: String, at time: S3Time) -> String {
        let credential = "Credential=\(accessKey)/\(scope(time))"
        let names = "SignedHeaders=\(Self.names(subject.headers))"
        return "\(Self.algorithm) \(credential),\(names),Signature=\(signature(of: subject, digest, time))"
    }

    /// The whole query of an address that is good by itself: for whoever sends the same headers.
    ///
    /// - Parameter seconds: how long from `time` on it is good; 1 to 604,800.
    package func presigned(_ subject: Subject, seconds: Int, at time: S3Time) -> String {
        precondition((1...604_800).contains(seconds), "an address is signed for a week at most")
        var subject = subject
        let own: [Field] = [
            ("X-Amz-Algorithm", Self.algorithm), ("X-Amz-Credential", "\(accessKey)/\(scope(time))"), ("X-Amz-Date", time.stamp),
            ("X-Amz-Expires", "\(seconds)"), ("X-Amz-SignedHeaders", Self.names(subject.headers)),
        ]
        subject.query += own
        let signature = signature(of: subject, Self.unsigned, time)
        return "\(Self.query(subject.query))&X-Amz-Signature=\(signature)"
    }

    /// A query as it is signed and as it is sent: escaped, in the order of the escaped names.
    package static func query(_ query: [Field]) -> String {
        query.map { (PercentCoding.encode($0.name), PercentCoding.encode($0.value)) }
            .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// In lower case, in their order, without the blanks that mean nothing.
    private static func canonical(_ headers: [Field]) -> [Field] {
        let fields = headers.map { field -> Field in
            (name: field.name.lowercased(), value: field.value.split(separator: " ").joined(separator: " "))
        }
        return fields.sorted { $0.name < $1.name }
    }

    private static func names(_ headers: [Field]) -> String {
        canonical(headers).map(\.name).joined(separator: ";")
    }

    private func scope(_ time: S3Time) -> String { "\(time.day)/\(region)/s3/aws4_request" }

    private func signature(of subject: Subject, _ digest: String, _ time: S3Time) -> String {
        let headers = Self.canonical(subject.headers)
        let request = [
            subject.method.text, subject.path, Self.query(subject.query), headers.map { "\($0.name):\($0.value)\n" }.joined(),
            headers.map(\.name).joined(separator: ";"), digest,
        ].joined(separator: "\n")
        let text = [Self.algorithm, time.stamp, scope(time), Hex.encode(SHA256.hash(request))].joined(separator: "\n")
        var key = Array("AWS4\(secret.revealed)".utf8)
        for part in [time.day, region, "s3", "aws4_request"] { key = HMAC256.authenticate(Array(part.utf8), key: key) }
        return Hex.encode(HMAC256.authenticate(Array(text.utf8), key: key))
    }
}
