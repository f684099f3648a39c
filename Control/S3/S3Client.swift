import Crypto
package import HTTP
package import Posix
import TLS
package import Web

/// What a store is asked to do.
package struct S3Request: Sendable {
    package var method: Method
    /// The object's key; empty: the bucket itself is meant.
    package var object: String
    /// Unescaped.
    package var query: [S3Signer.Field]
    /// All of them are signed.
    package var headers: [S3Signer.Field]
    package var body: [UInt8]
    /// Of the answer, bytes.
    package var mostAnswer: Int

    package init(
        _ method: Method, _ object: String, query: [S3Signer.Field] = [], headers: [S3Signer.Field] = [], body: [UInt8] = [],
        mostAnswer: Int = S3Client.document
    ) {
        self.method = method
        self.object = object
        self.query = query
        self.headers = headers
        self.body = body
        self.mostAnswer = mostAnswer
    }
}

/// Asks a store that speaks S3, and asks again where it may help.
///
/// Every address goes through the outbound guard, unless the operator has said that the store is inside; no redirect is followed.
package struct S3Client: Sendable {
    /// Bytes of a document that a store answers.
    package static let document = 4 << 20
    /// Of a transfer, beside the time that its bytes take: what a busy store takes to answer.
    private static let patience = Duration.seconds(30)
    /// The slowest way to a store that is waited for, bytes in a second.
    private static let slowest = 128 << 10

    private let settings: S3Settings
    private let outbound: OutboundGuard
    private let loop: Loop
    private let options: ClientOptions
    private let signer: S3Signer
    private let now: @Sendable () -> Int64
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - loop: where the connections live; the caller's to stop, after them.
    ///   - now: Unix seconds, by which requests are signed.
    package init(
        _ settings: S3Settings, outbound: OutboundGuard, loop: Loop, now: @escaping @Sendable () -> Int64 = { unixMilliseconds() / 1000 },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.settings = settings
        self.outbound = outbound
        self.loop = loop
        self.now = now
        self.sleep = sleep
        var options = ClientOptions()
        if let authority = settings.authority { options.trust = .anchors([authority]) }
        self.options = options
        signer = S3Signer(accessKey: settings.accessKey, secret: settings.secret, region: settings.region)
    }

    package var bucket: String { settings.bucket }

    /// The answer of a store that did what it was asked; its body is whole.
    ///
    /// - Throws: `S3Fault`; `CancellationError`.
    package func send(_ request: S3Request) async throws -> ClientResponse {
        var retry = S3Retry()
        while true {
            let failure: Failure
            do { return try await attempt(request) } catch let caught as Failure { failure = caught }
            guard failure.isTransient, let wait = retry.failed(asked: failure.asked, jitter: .random(in: 0..<1)) else {
                throw failure.fault
            }
            try await sleep(wait)
        }
    }

    /// An address that is good by itself, for whoever sends the same headers.
    ///
    /// - Parameter seconds: how long from now on.
    package func presigned(_ request: S3Request, seconds: Int) -> String {
        let path = settings.path(of: request.object)
        let subject = S3Signer.Subject(
            request.method, path: path, query: request.query, headers: request.headers + [(name: "host", value: settings.authorityOfBucket)]
        )
        let query = signer.presigned(subject, seconds: seconds, at: S3Time(unixSeconds: now()))
        return "\(settings.endpoint.scheme.rawValue)://\(settings.authorityOfBucket)\(path)?\(query)"
    }

    // MARK: One attempt

    private struct Failure: Error {
        let fault: S3Fault
        var isTransient = false
        /// By the store, before it is asked again.
        var asked: Duration?
    }

    private func attempt(_ request: S3Request) async throws -> ClientResponse {
        let path = settings.path(of: request.object)
        let host = settings.authorityOfBucket
        let time = S3Time(unixSeconds: now())
        let digest = Hex.encode(SHA256.hash(request.body))
        let fields = request.headers + [(name: "x-amz-content-sha256", value: digest), (name: "x-amz-date", value: time.stamp)]
        let subject = S3Signer.Subject(
            request.method, path: path, query: request.query, headers: fields + [(name: "host", value: host)])
        var headers = Headers(fields.map { ($0.name, $0.value) })
        headers["Authorization"] = signer.authorization(subject, digest: digest, at: time)
        let query = S3Signer.query(request.query)
        let url = "\(settings.endpoint.scheme.rawValue)://\(host)\(path)" + (query.isEmpty ? "" : "?\(query)")
        let body: [UInt8]? = request.body.isEmpty && request.method != .put ? nil : request.body
        let answer = try await ask(request.method, url, headers, body, mostAnswer: request.mostAnswer)
        if let failure = refusal(of: answer, to: request) { throw failure }
        return answer
    }

    private func ask(
        _ method: Method, _ url: String, _ headers: Headers, _ body: [UInt8]?, mostAnswer: Int
    ) async throws -> ClientResponse {
        do {
            let options = try await way(bytes: (body?.count ?? 0) + mostAnswer, mostAnswer: mostAnswer)
            return try await Client(loop: loop, options: options).request(method, url, headers: headers, body: body)
        } catch ClientError.bodyTooLarge(let limit, let status) {
            guard status.isSuccess else { throw failure(S3Fault(status, nil, bucket: bucket, region: settings.region, skew: nil)) }
            throw Failure(fault: S3Fault(.tooLarge, "the store's answer has more than \(limit) bytes"))
        } catch let error as ClientError {
            throw Self.unreached(error)
        } catch let error as ResolveError {
            throw Failure(fault: S3Fault(.away, "\(error)"), isTransient: true)
        } catch let error as OutboundGuard.Refusal {
            throw Self.unreached(error)
        }
    }

    /// Where the store is, and how long it may take.
    private func way(bytes: Int, mostAnswer: Int) async throws -> ClientOptions {
        var options = self.options
        options.responseTimeout = Self.patience + .seconds(bytes / Self.slowest)
        // A refusal is a document even where an answer would have none.
        options.bodyLimit = max(mostAnswer, 64 << 10)
        guard !settings.isInside else { return options }
        let address = try await outbound.admit(host: settings.host, port: settings.endpoint.port)
        guard settings.endpoint.scheme.isTLS || outbound.opens(address) else {
            throw Failure(fault: S3Fault(.refused, "https: the store is told nothing in the clear, unless it is inside"))
        }
        options.addresses = [address]
        return options
    }

    private static func unreached(_ error: ClientError) -> Failure {
        switch error {
        case .url, .untrusted: Failure(fault: S3Fault(.refused, error.description))
        case .unreachable, .proxyRefused, .timedOut, .bodyTooLarge, .broken:
            Failure(fault: S3Fault(.away, "the store is not there: \(error)"), isTransient: true)
        }
    }

    private static func unreached(_ refusal: OutboundGuard.Refusal) -> Failure {
        switch refusal {
        case .unresolvable: Failure(fault: S3Fault(.away, refusal.description), isTransient: true)
        case .forbidden: Failure(fault: S3Fault(.refused, "\(refusal), or by blobs.inside"))
        }
    }

    private func failure(_ fault: S3Fault) -> Failure { Failure(fault: fault, isTransient: fault.kind == .away) }

    /// nil where it did what it was asked.
    private func refusal(of answer: ClientResponse, to request: S3Request) -> Failure? {
        if answer.status.isSuccess {
            // Putting an upload together may fail after the head has said 200 (the S3 API reference, CompleteMultipartUpload).
            guard request.method == .post, let said = S3Failure(answer.body) else { return nil }
            return failure(fault(Status.internalError, said, answer))
        }
        var result = failure(fault(answer.status, S3Failure(answer.body), answer))
        result.asked = answer.headers["Retry-After"].flatMap { Int($0) }.map { Duration.seconds(min(max($0, 0), 3600)) }
        return result
    }

    private func fault(_ status: Status, _ said: S3Failure?, _ answer: ClientResponse) -> S3Fault {
        let skew = answer.headers["Date"].flatMap(HTTPDate.parse).map { now() - $0 }
        return S3Fault(status, said, bucket: bucket, region: settings.region, skew: skew)
    }
}
