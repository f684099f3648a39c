import Posix

/// Whether a UDP port is free: asked of the kernel by binding it for a moment.
enum PortProbe {
    static func isFree(_ port: Int, on hosts: [String]) -> Bool {
        hosts.allSatisfy { host in
            guard let address = SocketAddress(host, port: port) else { return false }
            // Any failure (in use, not our address) means that a receiver could not have it either.
            return (try? UDPSocket(binding: address)) != nil
        }
    }
}
