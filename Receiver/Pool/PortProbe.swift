import Posix
import Wire

/// Whether a UDP port is free: asked of the kernel by binding it for a moment.
enum PortProbe {
    static func isFree(_ port: Int, on hosts: [String]) -> Bool {
        hosts.allSatisfy { host in
            guard let address = SocketAddress(host, port: port) else { return false }
            // Any failure (in use, not our address) means that a receiver could not have it either.
            return (try? UDPSocket(binding: address)) != nil
        }
    }

    /// Why an SRT listener cannot have what it asks for; nil where it can.
    static func fault(of listener: SRTTarget) -> String? {
        guard let address = SocketAddress(listener.address, port: listener.port) else {
            return "\(listener.address) is not an address of this host"
        }
        do {
            _ = try UDPSocket(binding: address)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
