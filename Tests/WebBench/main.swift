import Glibc
import HTTP
import Posix
import Web

// The web server alone, on one loop, for `ci/bench web`: `/hello` answers a text of 1,000 bytes, `/echo` is a WebSocket that sends
// back what it gets. Arguments: the files of a certificate and its key. Prints its port; ends with its parent.
let files = CertificateFiles(chain: CommandLine.arguments[1], key: CommandLine.arguments[2])
var configuration = ServerConfiguration(listeners: [Listener(.loopback(port: 0), certificate: files)])
configuration.limits.connectionsPerAddress = configuration.limits.connections
let hello = Array(repeating: UInt8(ascii: "x"), count: 1000)
let server = Server(configuration: configuration, loops: [try Loop(name: "web")]) { request in
    guard request.path == "/echo" else {
        return Response(.ok, headers: ["Content-Type": "text/plain"], body: .bytes(hello))
    }
    return .upgrade { socket in
        while let message = try? await socket.receive() {
            guard case .text(let text) = message else { return }
            do { try await socket.send(text) } catch { return }
        }
    }
}
print(try await server.start()[0].port)
_ = fflush(nil)
while true { try await Task.sleep(for: .seconds(3600)) }
