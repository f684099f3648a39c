import CLab
import Glibc
import Posix

/// Junk at a rate: datagrams of random bytes that begin as asked, from many ports, until its input ends.
struct Flood {
    struct Kind {
        let beginning: [UInt8]
        /// nil: any.
        let bytes: Int?

        /// `HEX` or `HEX:LENGTH`.
        init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts[0].count % 2 == 0 else { return nil }
            var bytes: [UInt8] = []
            var rest = parts[0]
            while !rest.isEmpty {
                guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            beginning = bytes
            guard parts.count == 2 else {
                self.bytes = nil
                return
            }
            guard let length = Int(parts[1]), (max(1, bytes.count)...1472).contains(length) else { return nil }
            self.bytes = length
        }
    }

    struct Figures: Encodable {
        var sent = 0
        var seconds = 0.0
    }

    private static let stepNs: Int64 = 1_000_000
    private static let ports = 64

    let target: SocketAddress
    let perSecond: Double
    let kinds: [Kind]

    func run(_ input: inout LabInput) throws -> Figures {
        guard let any = SocketAddress(target.family == .ipv4 ? "0.0.0.0" : "::", port: 0) else { throw SystemError("bind", EINVAL) }
        let sockets = try (0..<Self.ports).map { _ in try UDPSocket(binding: any) }
        var random = SplitMix64(state: 1)
        var figures = Figures()
        let began = Instant.now.nanoseconds
        var due = began
        while input.next(until: due) == .timeout {
            due += Self.stepNs
            let owed = Int(Double(Instant.now.nanoseconds - began) / 1e9 * perSecond)
            while figures.sent < owed {
                _ = try? sockets[figures.sent % sockets.count].send(junk(figures.sent, &random), to: target)
                figures.sent += 1
            }
        }
        figures.seconds = Double(Instant.now.nanoseconds - began) / 1e9
        return figures
    }

    private func junk(_ number: Int, _ random: inout SplitMix64) -> [UInt8] {
        let kind = kinds.isEmpty ? nil : kinds[number % kinds.count]
        let length = kind?.bytes ?? max(kind?.beginning.count ?? 0, Int.random(in: 20...1400, using: &random))
        var bytes = kind?.beginning ?? []
        while bytes.count < length { withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) } }
        return Array(bytes[..<length])
    }
}
