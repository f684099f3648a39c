package import HTTP

/// Why a store did not do what it was asked, in words for whoever operates it.
package struct S3Fault: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case noObject
        case noUpload
        /// The range begins behind the object's end.
        case beyondEnd
        /// What is put together is not what was sent.
        case badParts
        case tooLarge
        /// It will be refused again: somebody has to set something right, here or there.
        case refused
        /// It may be done later.
        case away
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// Of an answer with another status than success.
    ///
    /// - Parameters:
    ///   - failure: what its body says; nil where it says nothing, as an answer to HEAD.
    ///   - skew: by how much this machine's clock is ahead of the store's, seconds.
    package init(_ status: Status, _ failure: S3Failure?, bucket: String, region: String, skew: Int64?) {
        let (kind, words) =
            Self.known(failure?.code ?? "", failure, bucket: bucket, region: region, skew: skew) ?? Self.other(status, failure)
        self.kind = kind
        description = words
    }

    /// By the code. Source: the S3 API reference, "Error responses".
    private static func known(
        _ code: String, _ failure: S3Failure?, bucket: String, region: String, skew: Int64?
    ) -> (Kind, String)? {
        switch code {
        case "NoSuchKey": (Kind.noObject, "there is no such object")
        case "NoSuchUpload": (Kind.noUpload, "there is no such upload")
        case "InvalidRange": (Kind.beyondEnd, "the range begins behind the object's end")
        case "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody":
            (Kind.badParts, "what arrived is not what was sent (\(code))")
        case "EntityTooLarge", "MaxMessageLengthExceeded": (Kind.tooLarge, "the store takes nothing that large")
        case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "Throttling", "RequestLimitExceeded":
            (Kind.away, "the store could not do it (\(code))")
        case "NoSuchBucket": (Kind.refused, "there is no bucket '\(bucket)'")
        case "InvalidBucketName": (Kind.refused, "'\(bucket)' is no name of a bucket")
        case "InvalidAccessKeyId": (Kind.refused, "the store knows no such access key")
        case "SignatureDoesNotMatch": (Kind.refused, "the secret is not that of the access key")
        case "AccessDenied", "AllAccessDisabled", "AccountProblem", "NotSignedUp":
            (Kind.refused, "the access key may not do this in the bucket '\(bucket)' (\(code))")
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired": (Kind.refused, "the access key is no longer good (\(code))")
        case "RequestTimeTooSkewed", "RequestExpired": (Kind.refused, clock(skew))
        case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
            (Kind.refused, place(failure, bucket, region))
        case "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull": (Kind.refused, "the store is full (\(code))")
        default: nil
        }
    }

    private static func other(_ status: Status, _ failure: S3Failure?) -> (Kind, String) {
        let said = failure.map { ": \($0.code) \($0.message)" } ?? ""
        switch status.code {
        case 404 where failure == nil: return (.noObject, "there is no such object")
        case 416: return (.beyondEnd, "the range begins behind the object's end")
        case 401, 403: return (.refused, "the access key may not do this, or its secret is another (status \(status)\(said))")
        case 300..<400: return (.refused, "the bucket is elsewhere (status \(status)\(said)): look at the endpoint and the region")
        case 507: return (.refused, "the store is full (status 507\(said))")
        case 408, 429, 500...: return (.away, "the store could not do it (status \(status)\(said))")
        default: return (.refused, "the store refused it (status \(status)\(said))")
        }
    }

    private static func clock(_ skew: Int64?) -> String {
        guard let skew, skew != 0 else { return "the clocks of this machine and of the store differ by too much" }
        return "this machine's clock is \(abs(skew)) s \(skew > 0 ? "ahead of" : "behind") the store's: set it right"
    }

    private static func place(_ failure: S3Failure?, _ bucket: String, _ region: String) -> String {
        guard let other = failure?.region, other != region else {
            return "the bucket '\(bucket)' is not in the region '\(region)' or not at this endpoint"
        }
        return "the bucket '\(bucket)' is in the region '\(other)', not in '\(region)'"
    }
}
