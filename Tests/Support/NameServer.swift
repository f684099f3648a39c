import Foundation
package import Posix

/// dnsmasq as a name server that knows what it is told, and says NXDOMAIN to anything else.
package final class NameServer: Sendable {
    package let address: SocketAddress
    private let program: RunningProgram

    /// - Parameters:
    ///   - names: with their addresses, IPv4 and IPv6.
    ///   - inside: what comes before its command, as a namespace's `command([])`.
    package init(on stage: Stage, at host: String, port: Int? = nil, names: [String: [String]], inside: [String] = []) async throws {
        let port = try port ?? FreePorts.tcp()
        guard let address = SocketAddress(host, port: port) else { throw SupportFailure("\(host) is no address") }
        self.address = address
        let known = names.sorted { $0.key < $1.key }.flatMap { name, addresses in addresses.map { "--host-record=\(name),\($0)" } }
        program = try stage.start(
            "dnsmasq",
            [
                "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts", "--user=root",
                "--log-facility=-",
                "--bind-interfaces", "--listen-address=\(host)", "--port=\(port)", "--local=/#/",
            ] + known, inside: inside)
        try await program.line(containing: "started, version", within: .seconds(10))
    }

    package func end() async throws { try await program.stop() }
}

/// A stand-in for a name server that is no good: it takes questions and never answers, or answers with what no name server says.
package final class BadNameServer: Sendable {
    package enum Conduct: Sendable {
        case silent
        /// Bytes that are nothing.
        case noise
        /// The question's own header with 65,535 answers announced, and a name that points at itself.
        case loops
        /// What it says is another question's answer.
        case otherQuestion
    }

    package let address: SocketAddress
    private let socket: UDPSocket
    private let loop: Loop
    private let count = Guarded(0)

    /// How many questions came.
    package var questions: Int { count.withLock { $0 } }

    package init(_ conduct: Conduct, at host: String = "127.0.0.1", port: Int = 0) throws {
        guard let wanted = SocketAddress(host, port: port) else { throw SupportFailure("\(host) is no address") }
        let socket = try UDPSocket(binding: wanted)
        let loop = try Loop(name: "bad names")
        (self.socket, self.loop, address) = (socket, loop, socket.localAddress)
        let count = count
        loop.submit {
            let batch = DatagramBatch(capacity: 8)
            // A test that cannot watch its own socket fails by what it then lacks.
            _ = try? loop.watch(socket.descriptor, .read) { _ in
                guard let received = try? socket.receive(batch) else { return }
                for index in 0..<received {
                    count.withLock { $0 += 1 }
                    guard let peer = batch.source(index), let answer = Self.answer(Array(batch[index]), conduct) else { continue }
                    _ = try? socket.send(answer, to: peer)
                }
            }
        }
    }

    package func end() { loop.stop() }

    deinit { loop.stop() }

    private static func answer(_ question: [UInt8], _ conduct: Conduct) -> [UInt8]? {
        guard question.count > 12 else { return nil }
        switch conduct {
        case .silent: return nil
        case .noise: return (0..<200).map { _ in UInt8.random(in: 0...255) }
        case .loops:
            // Source: RFC 1035 section 4.1: id, flags (a response, recursion available), one question, 65,535 answers, the question.
            return question[..<2] + [0x81, 0x80, 0, 1, 0xFF, 0xFF, 0, 0, 0, 0] + question[12...] + [
                0xC0, UInt8(question.count), 0, 1, 0, 1,
            ]
        case .otherQuestion:
            // `x` A 192.0.2.66, by the id of the question that came.
            let other: [UInt8] = [1, 0x78, 0, 0, 1, 0, 1], record: [UInt8] = [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 66]
            return question[..<2] + [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + other + record
        }
    }
}
