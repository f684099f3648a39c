import Foundation

/// A UDP or TCP socket of a process, as the kernel lists it in that process's network namespace.
package struct OpenSocket: Sendable, CustomStringConvertible {
    package enum Transport: Sendable { case tcp, udp }

    package let transport: Transport
    package let localPort: Int
    package let hasPeer: Bool
    package let isListening: Bool
    package let description: String

    /// Every one that a process has open.
    package static func all(of pid: Int32) throws -> [OpenSocket] {
        let folder = "/proc/\(pid)/fd"
        let inodes = Set(
            try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name -> Substring? in
                // What was closed since has no target any more.
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)") else { return nil }
                return target.hasPrefix("socket:[") ? target.dropFirst(8).dropLast() : nil
            })
        return try ["tcp", "tcp6", "udp", "udp6"].flatMap { table in
            try String(contentsOfFile: "/proc/\(pid)/net/\(table)", encoding: .utf8).split(separator: "\n").dropFirst()
                .compactMap { OpenSocket(line: $0, of: table, among: inodes) }
        }
    }

    /// Source: proc(5): number, local and remote address:port in hex, state (0A is LISTEN), queues, timers, retransmits, uid, timeout, inode.
    private init?(line: Substring, of table: String, among inodes: Set<Substring>) {
        let fields = line.split(separator: " ")
        guard fields.count > 9, inodes.contains(fields[9]), let port = fields[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) })
        else { return nil }
        transport = table.hasPrefix("tcp") ? .tcp : .udp
        localPort = port
        hasPeer = !fields[2].hasSuffix(":0000")
        isListening = transport == .tcp && fields[3] == "0A"
        description = "\(table) \(fields[1]) to \(fields[2]) in state \(fields[3])"
    }
}

/// How many UDP datagrams the sockets of a process's network namespace were given so far.
package func receivedDatagrams(in pid: Int32) throws -> Int {
    // Two lines: names, then figures; the first is InDatagrams. Source: proc(5), RFC 4113.
    let lines = try String(contentsOfFile: "/proc/\(pid)/net/snmp", encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("Udp: ") }
    guard lines.count == 2, let count = lines[1].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
        throw SupportFailure("/proc/\(pid)/net/snmp is not as proc(5) says")
    }
    return count
}
