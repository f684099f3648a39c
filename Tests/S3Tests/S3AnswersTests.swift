import HTTP
import Testing

@testable import S3

@Suite("An answer of a store")
struct S3AnswersTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("lists objects, and the way to the next page where there is one")
    func listing() throws {
        let listing = try S3Answers.listing(
            bytes(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/><KeyCount>2</KeyCount>
                <IsTruncated>true</IsTruncated><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J=</NextContinuationToken>
                <Contents><Key>org/a&amp;b</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag>
                <Size>12</Size><Owner><ID>1</ID></Owner></Contents><Contents><Key>c</Key><Size>0</Size></Contents></ListBucketResult>
                """))
        #expect(listing.entries.map(\.key) == ["org/a&b", "c"] && listing.entries.map(\.bytes) == [12, 0])
        #expect(listing.entries.map(\.modified) == [1_369_353_600, 0] && listing.next == "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J=")
        #expect(try S3Answers.listing(bytes("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")).next == nil)
    }

    @Test(
        "that is none is a fault, and never a page that looks whole",
        arguments: [
            "", "<html><body/></html>", "<Error><Code>X</Code></Error>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a b</NextContinuationToken></ListBucketResult>",
        ])
    func strange(_ text: String) {
        let fault = #expect(throws: S3Fault.self) { try S3Answers.listing(Array(text.utf8)) }
        #expect(fault?.kind == .away)
    }

    @Test("names an upload by one word, and parts go back as they came, escaped")
    func uploads() throws {
        let text = "<InitiateMultipartUploadResult><Bucket>b</Bucket><UploadId>VXBsb2Fk.1_2~</UploadId></InitiateMultipartUploadResult>"
        #expect(try S3Answers.upload(bytes(text)) == "VXBsb2Fk.1_2~")
        for id in ["", "a b", "a\nb", String(repeating: "x", count: 1025)] {
            #expect(throws: S3Fault.self) {
                try S3Answers.upload(bytes("<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>"))
            }
        }
        let body = String(decoding: S3Answers.completion([(1, "\"a<&>\""), (2, "b")]), as: UTF8.self)
        #expect(
            body.contains("<Part><PartNumber>1</PartNumber><ETag>&quot;a&lt;&amp;&gt;&quot;</ETag></Part><Part><PartNumber>2</PartNumber>"))
    }

    @Test("says in plain words what is wrong, and whether it helps to ask again")
    func faults() throws {
        func fault(_ status: Int, _ code: String?, more: String = "", skew: Int64? = nil) -> S3Fault {
            let failure = code.flatMap { S3Failure(bytes("<Error><Code>\($0)</Code><Message>said</Message>\(more)</Error>")) }
            return S3Fault(Status(code: status), failure, bucket: "strata", region: "us-east-1", skew: skew)
        }
        let words: [(S3Fault, S3Fault.Kind, String)] = [
            (fault(404, "NoSuchBucket"), .refused, "there is no bucket 'strata'"),
            (fault(403, "InvalidAccessKeyId"), .refused, "the store knows no such access key"),
            (fault(403, "SignatureDoesNotMatch"), .refused, "the secret is not that of the access key"),
            (fault(403, "RequestTimeTooSkewed", skew: -3600), .refused, "this machine's clock is 3600 s behind the store's: set it right"),
            (
                fault(400, "AuthorizationHeaderMalformed", more: "<Region>eu-west-1</Region>"), .refused,
                "the bucket 'strata' is in the region 'eu-west-1', not in 'us-east-1'"
            ),
            (fault(403, "AccessDenied"), .refused, "the access key may not do this in the bucket 'strata' (AccessDenied)"),
            (fault(507, "InsufficientStorage"), .refused, "the store is full (InsufficientStorage)"),
            (fault(503, "SlowDown"), .away, "the store could not do it (SlowDown)"),
            (fault(400, "RequestTimeout"), .away, "the store could not do it (RequestTimeout)"),
            (fault(500, nil), .away, "the store could not do it (status 500)"), (fault(404, nil), .noObject, "there is no such object"),
            (fault(404, "NoSuchKey"), .noObject, "there is no such object"),
            (fault(404, "NoSuchUpload"), .noUpload, "there is no such upload"),
            (fault(416, "InvalidRange"), .beyondEnd, "the range begins behind the object's end"),
            (fault(400, "EntityTooSmall"), .badParts, "what arrived is not what was sent (EntityTooSmall)"),
            (fault(418, "Teapot"), .refused, "the store refused it (status 418: Teapot said)"),
            (fault(301, nil), .refused, "the bucket is elsewhere (status 301): look at the endpoint and the region"),
        ]
        for (fault, kind, text) in words { #expect(fault.kind == kind && fault.description == text, "\(fault)") }
        let hostile = S3Failure(bytes("<Error><Code>A&#x202e;B</Code><Message>\(String(repeating: "m", count: 900))</Message></Error>"))
        #expect(hostile?.code == "A\\u202eB" && hostile?.message.count == 200)
        #expect(S3Failure(bytes("<Error/>")) == nil && S3Failure([]) == nil)
    }

    @Test("that says to ask again is asked for with a growing wait, five times in all")
    func retries() {
        var retry = S3Retry()
        let waits = (0..<S3Retry.attempts).map { _ in retry.failed(asked: nil, jitter: 0) }
        #expect(waits == [.milliseconds(200), .milliseconds(400), .milliseconds(800), .milliseconds(1600), nil])
        var asked = S3Retry()
        #expect(
            asked.failed(asked: .seconds(3), jitter: 0.5) == .seconds(3) && asked.failed(asked: .seconds(900), jitter: 0) == .seconds(20))
        var early = S3Retry()
        #expect(early.failed(asked: nil, jitter: 1) == .milliseconds(100))
    }
}
