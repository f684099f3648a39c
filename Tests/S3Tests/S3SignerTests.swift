import Foundation
import HTTP
import Testing
import Units

@testable import S3

/// Source: the examples of the S3 API reference, "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using
/// Query Parameters".
@Suite("A signature of version 4")
struct S3SignerTests {
    private let signer = S3Signer(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secret: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), region: "us-east-1")
    private let time = S3Time(unixSeconds: 1_369_353_600)
    private let host: S3Signer.Field = ("Host", "examplebucket.s3.amazonaws.com")
    private let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    private func signature(
        _ method: HTTP.Method, _ path: String, _ query: [S3Signer.Field] = [], _ headers: [S3Signer.Field] = [], digest: String? = nil
    ) -> String {
        let digest = digest ?? empty
        let own: [S3Signer.Field] = [host, ("x-amz-content-sha256", digest), ("x-amz-date", time.stamp)]
        let subject = S3Signer.Subject(method, path: path, query: query, headers: headers + own)
        return signer.authorization(subject, digest: digest, at: time)
    }

    @Test("is the published one of each published request")
    func published() {
        #expect(time.stamp == "20130524T000000Z" && time.day == "20130524")
        let range = signature(.get, "/test.txt", [], [("Range", "bytes=0-9")])
        #expect(
            range == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        let put = signature(
            .put, "/test%24file.text", [], [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            digest: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        #expect(put.hasSuffix("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
        #expect(
            signature(.get, "/", [("lifecycle", "")]).hasSuffix(
                "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
        #expect(
            signature(.get, "/", [("prefix", "J"), ("max-keys", "2")]).hasSuffix(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
    }

    @Test("in an address is the published one")
    func presigned() {
        let query = signer.presigned(S3Signer.Subject(.get, path: "/test.txt", headers: [host]), seconds: 86_400, at: time)
        #expect(
            query == "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test("is of the method, the path, the query, each header, the body, the time and the key")
    func bound() {
        let one = signature(.put, "/a", [("b", "c")], [("Content-Type", "d")])
        let others = [
            signature(.get, "/a", [("b", "c")], [("Content-Type", "d")]), signature(.put, "/b", [("b", "c")], [("Content-Type", "d")]),
            signature(.put, "/a", [("b", "d")], [("Content-Type", "d")]), signature(.put, "/a", [("b", "c")], [("Content-Type", "e")]),
            signature(.put, "/a", [("b", "c")], [("Content-Type", "d")], digest: String(repeating: "0", count: 64)),
        ]
        #expect(Set(others + [one]).count == others.count + 1)
        // Blanks that mean nothing, and the case of a name.
        #expect(signature(.put, "/a", [("b", "c")], [("content-type", " d ")]) == one)
        let subject = S3Signer.Subject(.get, path: "/", headers: [host])
        let other = S3Signer(accessKey: "AKIAIOSFODNN7EXAMPLE", secret: Secret("another"), region: "us-east-1")
        #expect(signer.authorization(subject, digest: empty, at: time) != other.authorization(subject, digest: empty, at: time))
        let later = S3Time(unixSeconds: 1_369_353_601)
        #expect(signer.authorization(subject, digest: empty, at: time) != signer.authorization(subject, digest: empty, at: later))
        #expect(!"\(signer)".contains("wJalr"), "a signer that is printed tells no secret")
    }

    @Test("is of a query in the order of its escaped names")
    func query() {
        #expect(S3Signer.query([("b", "ä /"), ("a~", "2"), ("a", "2"), ("a", "1")]) == "a=1&a=2&a~=2&b=%C3%A4%20%2F")
    }

    @Test("tells times, and reads those of answers and nothing else")
    func times() {
        #expect(S3Time(unixSeconds: 1_709_251_199).stamp == "20240229T235959Z")
        #expect(S3Time.seconds("2013-05-24T00:00:00.000Z") == 1_369_353_600)
        #expect(S3Time.seconds("2024-02-29T23:59:59Z") == 1_709_251_199)
        for text in ["", "2013-05-24", "2013-13-24T00:00:00Z", "2023-02-29T00:00:00Z", "2013-05-24T00:00:00+01:00", "2013-05-24 00:00:00Z"]
        {
            #expect(S3Time.seconds(text) == nil, "\(text)")
        }
    }
}
