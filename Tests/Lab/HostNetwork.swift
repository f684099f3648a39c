import Glibc
import Posix

/// Another machine beside this one: a network namespace with one interface, which the board's links, where there are any, reach through this
/// machine.
///
/// ```
///  field namespace                     this machine                          the other machine
///  modem0 10.S.0.2 ---- st<pid>l0 10.S.0.1   st<pid>h<N> 172.31.N.1 ---- eth0 172.31.N.2
/// ```
///
/// With links this machine forwards on these interfaces, and on no other. N is the first of 91 to 99 that nobody has.
package final class HostNetwork: Sendable {
    package let host: NetworkNamespace
    /// The other machine's.
    package let address: String
    /// This machine's, as the other one reaches it.
    package let gateway: String
    private let interface: String
    private let isRemoved = Guarded(false)

    /// - Parameter links: of the field, by their numbers.
    package init(beside field: FieldNetwork? = nil, links: Range<Int> = 0..<0) throws {
        try NetworkNamespace.sweep()
        let number = try Self.freeNumber()
        host = NetworkNamespace("st-\(getpid())-host\(number)")
        interface = "st\(getpid())h\(number)"
        address = "172.31.\(number).2"
        gateway = "172.31.\(number).1"
        do {
            try runIP(
                """
                netns add \(host.name)
                link add name \(interface) type veth peer name eth0 netns \(host.name)
                address add \(gateway)/24 dev \(interface)
                link set \(interface) up

                """)
            try runIP(
                """
                link set lo up
                address add \(address)/24 dev eth0
                link set eth0 up
                route add default via \(gateway)

                """, in: host)
            if let field {
                for name in [interface] + links.map(field.cloudInterface) { try forward(name) }
            }
        } catch {
            remove()
            throw error
        }
    }

    /// Whether a process runs on the other machine.
    package func holds(_ pid: Int32) -> Bool {
        var (own, named) = (stat(), stat())
        return stat("/proc/\(pid)/ns/net", &own) == 0 && stat("\(NetworkNamespace.folder)/\(host.name)", &named) == 0
            && own.st_ino == named.st_ino
    }

    /// Takes it down; what still runs there keeps its namespace until it ends, but no name and no link.
    package func remove() {
        let already = isRemoved.withLock { removed in
            defer { removed = true }
            return removed
        }
        guard !already else { return }
        // Either may never have been made.
        try? runIP("link delete \(interface)\n")
        try? runIP("netns delete \(host.name)\n")
    }

    deinit { remove() }

    private func forward(_ interface: String) throws {
        let path = "/proc/sys/net/ipv4/conf/\(interface)/forwarding"
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", on: path) }
        defer { close(descriptor) }
        guard write(descriptor, "1", 1) == 1 else { throw SystemError("write", on: path) }
    }

    /// By this machine's routes.
    private static func freeNumber() throws -> Int {
        guard let file = fopen("/proc/net/route", "r") else { throw SystemError("open", on: "/proc/net/route") }
        defer { fclose(file) }
        var taken: Set<Int> = []
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), file) != nil {
            let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: "\t")
            // The destination stands in the byte order of the machine: 172.31.N.0 is 00NN1FAC.
            guard fields.count > 1, let destination = UInt32(fields[1], radix: 16), destination & 0xFFFF == 0x1FAC else { continue }
            taken.insert(Int(destination >> 16))
        }
        guard let free = (91...99).first(where: { !taken.contains($0) }) else {
            throw SystemError("freeNumber", EADDRINUSE, on: "172.31.91.0/24 to 172.31.99.0/24")
        }
        return free
    }
}
