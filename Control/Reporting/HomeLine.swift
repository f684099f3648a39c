package import HTTP
package import Posix
package import Web

/// The way to the one place that a server's owner has named, to be told how the server is.
package struct HomeLine: Sendable {
    private let lookups: Lookups
    private let outbound: OutboundGuard
    private let loop: Loop
    private let options: ClientOptions
    private let program: String

    /// - Parameters:
    ///   - lookups: of the same guard as `outbound`.
    ///   - loop: where the connections live; the caller's to stop, after them.
    ///   - options: whom the connections believe; the rest of it is set here.
    ///   - version: of the program, for the header that names it.
    package init(
        lookups: Lookups, outbound: OutboundGuard, loop: Loop, options: ClientOptions = ClientOptions(), version: String
    ) {
        self.lookups = lookups
        self.outbound = outbound
        self.loop = loop
        var options = options
        options.connectTimeout = .seconds(5)
        options.responseTimeout = .seconds(10)
        // What it says is not read.
        options.bodyLimit = 64 << 10
        self.options = options
        program = "Strata/\(version)"
    }

    /// Why nothing is sent to an address.
    private struct InTheClear: Error, CustomStringConvertible {
        let host: String
        var description: String { "https: \(host) is told nothing in the clear, unless the operator allows its address in outbound.allow" }
    }

    /// Sends JSON once. The name is resolved and judged anew each time, and the connection goes to the address that passed.
    ///
    /// - Returns: what it answered; or why it did not.
    /// - Throws: `CancellationError`.
    package func tell(_ body: String, to url: URLParts) async throws -> (status: Int?, fault: String?) {
        do {
            let address = try await lookups.admit(host: url.host, port: url.port, for: "phone home")
            guard url.scheme.isTLS || outbound.opens(address) else { throw InTheClear(host: url.host) }
            var options = self.options
            options.addresses = [address]
            let headers: Headers = ["Content-Type": "application/json", "User-Agent": program]
            let answer = try await Client(loop: loop, options: options).request(
                .post, url.description, headers: headers, body: Array(body.utf8))
            return (answer.status.code, nil)
        } catch ClientError.bodyTooLarge(_, let status) {
            return (status.code, nil)
        } catch let error as CancellationError {
            throw error
        } catch {
            return (nil, "\(error)")
        }
    }
}
