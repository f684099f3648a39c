import HTTP

/// The address of control as a device knows it: `https://host[:port]`, or `http://` to this machine itself.
package struct ServerOrigin: Hashable, Sendable, CustomStringConvertible {
    private let parts: URLParts

    /// - Throws: `IdentityError.badServer`, which says what is expected.
    package init(_ text: String) throws(IdentityError) {
        do throws(URLParts.Fault) {
            parts = try URLParts(text, schemes: [.https, .http])
        } catch {
            throw .badServer(reason: error.description)
        }
        guard parts.path == "/", parts.query == nil else { throw .badServer(reason: "an origin has no path: https://host[:port]") }
        guard parts.scheme.isTLS || Self.isLoopback(parts.host) else {
            throw .badServer(reason: "http:// is allowed to 127.0.0.0/8, ::1 and localhost only; use https://")
        }
    }

    /// Canonical: lower case, without a default port and without a slash. What a proof signs.
    package var text: String { parts.origin }
    package var description: String { text }
    package var host: String { parts.host }
    package var port: Int { parts.port }
    package var isTLS: Bool { parts.scheme.isTLS }

    package var enrollURL: String { text + "/api/v1/enroll" }
    package var connectURL: String { "\(isTLS ? "wss" : "ws")://\(parts.authority)/api/v1/devices/connect" }
    package var speedTestURL: String { "\(isTLS ? "wss" : "ws")://\(parts.authority)/api/v1/devices/speed-test" }
    package var updatesURL: String { "\(isTLS ? "wss" : "ws")://\(parts.authority)/api/v1/devices/updates" }
    /// Of a published file: its SHA-256, `keys.NUMBER` or `VERSION.release`.
    package func releaseURL(_ name: String) -> String { "\(text)/api/v1/releases/\(name)" }
    package var recordingURL: String { "\(isTLS ? "wss" : "ws")://\(parts.authority)/api/v1/devices/recording" }
    package var previewURL: String { "\(isTLS ? "wss" : "ws")://\(parts.authority)/api/v1/devices/preview" }

    private static func isLoopback(_ host: String) -> Bool {
        // Four numbers, so that a name which begins with 127. does not pass.
        let isIPv4 = host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { UInt8($0) != nil }
        return host == "localhost" || host == "::1" || (isIPv4 && host.hasPrefix("127."))
    }
}
