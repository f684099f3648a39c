import Foundation
import Posix

/// What programs of a test resolve names to: a hosts file of their own, changed while they run, and behind it a name server that the
/// test may have be silent. Nothing outside is asked.
package final class Names: Sendable {
    private let folder: TemporaryFolder
    private let server: Guarded<UDPSocket?> = Guarded(nil)
    /// Loopback of its own, so that nobody else's name server is met there.
    private static let address = "127.0.53.\(1 + Int(getpid()) % 250)"

    /// - Parameter names: each with its address.
    package init(_ names: [String: String]) throws {
        folder = try TemporaryFolder()
        try folder.write("nameserver \(Self.address)\n", to: "resolv.conf")
        try folder.write("", to: "hosts")
        try set(names)
    }

    /// What comes before a program's command.
    package var inside: [String] {
        let script = "mount --bind \"$0/hosts\" /etc/hosts && mount --bind \"$0/resolv.conf\" /etc/resolv.conf && exec \"$@\""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder.path]
    }

    /// From now on these are all the names there are. In place, since the file is what is mounted.
    package func set(_ names: [String: String]) throws {
        let text = "127.0.0.1 localhost\n" + names.map { "\($0.value) \($0.key)\n" }.sorted().joined()
        try text.write(toFile: folder["hosts"], atomically: false, encoding: .utf8)
    }

    /// A name that is not in the file is waited for, instead of being unknown at once.
    package func setSilent(_ isSilent: Bool) throws {
        guard isSilent else { return server.withLock { $0 = nil } }
        guard let place = SocketAddress(Self.address, port: 53) else { throw SupportFailure("\(Self.address) is no address") }
        let socket = try UDPSocket(binding: place)
        server.withLock { $0 = socket }
    }
}
