package import HTTP
package import Posix
import Releases
package import Web

/// The folder on another server that releases are fetched from: `stable.release`, `keys.2`, and files by their digests. Nothing of it is
/// believed for where it came from.
package struct ReleaseFeed: Sendable {
    private let source: URLParts
    private let lookups: Lookups
    private let outbound: OutboundGuard
    private let loop: Loop
    private let options: ClientOptions
    private let program: String

    /// Of an answer that says why there is no file.
    private static let refusalBytes = 4096

    /// Why there is no answer, for people.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - lookups: of the same guard as `outbound`.
    ///   - loop: where the connections live; the caller's to stop, after them.
    ///   - options: whom the connections believe; the rest of it is set here.
    ///   - version: of the program, for the header that names it.
    package init(
        _ source: URLParts, lookups: Lookups, outbound: OutboundGuard, loop: Loop, options: ClientOptions = ClientOptions(),
        version: String
    ) {
        self.source = source
        self.lookups = lookups
        self.outbound = outbound
        self.loop = loop
        var options = options
        options.connectTimeout = .seconds(10)
        // A part of 4 MiB over a line of 400 kbit/s.
        options.responseTimeout = .seconds(90)
        self.options = options
        program = "Strata/\(version)"
    }

    /// A signed text by its name; nil where there is none.
    func text(_ name: String) async throws -> SignedText? {
        let answer = try await get(name, [:], SignedText.byteLimit)
        switch answer.status.code {
        case 200: return try SignedText(bytes: answer.body)
        case 404: return nil
        default: throw Fault(description: "\(source.host) answers \(answer.status.code) for '\(name)'")
        }
    }

    /// A part of a file (RFC 9110, 14), from the beginning of what was asked for; may be fewer bytes.
    func part(_ range: Range<Int>, of name: String) async throws -> [UInt8] {
        let headers: Headers = ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"]
        let answer = try await get(name, headers, range.count + Self.refusalBytes)
        let isWhole = answer.status.code == 200 && range.lowerBound == 0
        let place = "bytes \(range.lowerBound)-"
        let isPart = answer.status.code == 206 && answer.headers["Content-Range"]?.hasPrefix(place) == true
        guard isWhole || isPart, (1...range.count).contains(answer.body.count) else {
            throw Fault(description: "\(source.host) answers \(answer.status.code) for a part of '\(name)'")
        }
        return answer.body
    }

    /// The name is resolved and judged anew each time, and the connection goes to the address that passed.
    private func get(_ name: String, _ headers: Headers, _ limit: Int) async throws -> ClientResponse {
        let address = try await lookups.admit(host: source.host, port: source.port, for: "updates")
        guard source.scheme.isTLS || outbound.opens(address) else {
            throw Fault(description: "https: nothing is fetched in the clear, unless the operator allows the address in outbound.allow")
        }
        var options = self.options
        options.addresses = [address]
        options.bodyLimit = limit
        var headers = headers
        headers["User-Agent"] = program
        let folder = source.description
        return try await Client(loop: loop, options: options).request(
            .get, "\(folder)\(folder.hasSuffix("/") ? "" : "/")\(name)", headers: headers)
    }
}
