import HTTP
package import Posix
import Web

/// The status page for a browser, on one interface and no other: a USB gadget's or a hotspot's. It shows, and takes nothing.
package struct StatusSite: Sendable {
    /// No privilege is needed for it.
    package static let port = 8080
    /// Seconds after which a browser asks again.
    private static let pause = 5

    private let server: Server

    /// - Parameters:
    ///   - interface: what it is served on; whatever else the board is connected by leads to nothing.
    ///   - port: 0 for one that is free.
    package init(on interface: String, port: Int = StatusSite.port, _ file: StatusFile, loop: Loop) {
        var address = SocketAddress.any(.ipv4)
        address.port = port
        var configuration = ServerConfiguration(listeners: [Listener(address, device: interface)])
        configuration.limits.connections = 16
        configuration.limits.connectionsPerAddress = 8
        server = Server(configuration: configuration, loops: [loop]) { request in
            Self.answer(request.method, request.path, host: request.headers["host"], StatusPage(file.read(), at: .now))
        }
    }

    /// - Returns: its port.
    /// - Throws: `SystemError`, ENODEV where there is no such interface.
    package func start() async throws -> Int { try await server.start()[0].port }

    package func stop() async { await server.shutdown(grace: .zero) }

    /// - Parameter host: as the browser calls the board. By its address alone: a name may be somebody's whose page the same browser
    ///   shows, and who would read what is here (DNS rebinding).
    static func answer(_ method: HTTP.Method, _ path: String, host: String?, _ page: StatusPage) -> Response {
        guard let host, isAddress(host) else { return Response(.forbidden) }
        guard path == "/" else { return Response(.notFound) }
        guard method == .get || method == .head else { return Response(.methodNotAllowed, headers: ["Allow": "GET, HEAD"]) }
        var response = Response.text(page.lines.joined(separator: "\n") + "\n")
        response.headers["Refresh"] = "\(pause)"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
    }

    private static func isAddress(_ host: String) -> Bool {
        let name = host.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
        return SocketAddress(name, port: 0)?.family == .ipv4
    }
}
