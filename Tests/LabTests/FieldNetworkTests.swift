import Foundation
import Posix
import Support
import Testing

@testable import Lab

/// Sends `bytes` from the field by one interface to a server on this machine, and gives the answer with its round trip.
/// - Parameter limit: how long to wait for an answer: long where one must come, short where none may.
private func ask(
    _ network: FieldNetwork, link: Int, _ host: String, _ port: Int, _ bytes: [UInt8], within limit: Duration = .milliseconds(500)
) throws -> (UInt8, Duration)? {
    let interface = network.interface(link)
    return try network.field.run {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        guard setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) == 0 else {
            throw SystemError("SO_BINDTODEVICE", on: interface)
        }
        var limit = timeval(tv_sec: Int(limit.components.seconds), tv_usec: Int(limit.components.attoseconds / 1_000_000_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var target = try address(host, port)
        let asked = Instant.now
        guard withSockaddr(&target, { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }) == bytes.count else {
            throw SystemError("sendto", on: host)
        }
        var answer = [UInt8](repeating: 0, count: 2048)
        guard recv(descriptor, &answer, answer.count, 0) > 0 else { return nil }
        return (answer[0], Instant.now - asked)
    }
}

/// Answers every datagram with itself until it is gone.
private final class Echo: @unchecked Sendable {
    private let descriptor: CInt
    let port: Int

    init() throws {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var local = try address("0.0.0.0", 0)
        guard withSockaddr(&local, { bind(descriptor, $0, $1) }) == 0 else { throw SystemError("bind") }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: local.sin_port))
        let thread = Thread {
            var buffer = [UInt8](repeating: 0, count: 2048)
            while true {
                var from = sockaddr_in()
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                let size = withUnsafeMutablePointer(to: &from) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length) }
                }
                guard size > 0 else { break }
                _ = withSockaddr(&from) { sendto(descriptor, buffer, size, 0, $0, $1) }
            }
            close(descriptor)
        }
        thread.start()
    }

    deinit { shutdown(descriptor, CInt(SHUT_RDWR)) }
}

@Suite("A field network", .serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct FieldNetworkTests {
    @Test("each modem has its own delay, and the cloud answers at one address over all of them")
    func delays() async throws {
        try await unlessVoid { run in
            let network = try FieldNetwork(links: [10, 25, 40].map { LinkShape(LinkProfile(delayMs: $0)) })
            defer { network.remove() }
            run.judge { network.lateness }
            let echo = try Echo()
            for (link, delay) in [20, 50, 80].enumerated() {
                for host in [network.cloudAddress, network.cloudAddress(link)] {
                    // The best of some: a machine that is busy makes single ones longer.
                    let trips = try (0..<5).compactMap { _ in try ask(network, link: link, host, echo.port, [1])?.1.milliseconds }
                    try need(trips.allSatisfy { $0 >= delay } && (trips.min() ?? .max) <= delay + 8, "\(trips) ms")
                }
            }
        }
    }

    @Test("a blackout is silent, a pulled carrier and modem are not, and each comes back")
    func cuts() throws {
        let network = try FieldNetwork(links: [LinkShape(LinkProfile()), LinkShape(LinkProfile())], number: 1)
        defer { network.remove() }
        let echo = try Echo()
        /// Whether a question is answered within 5 s: asked again, since a carrier that is back takes the kernel a moment.
        func reaches(_ link: Int) throws -> Bool {
            let limit = Instant.now + .seconds(5)
            while Instant.now < limit {
                if try ask(network, link: link, network.cloudAddress, echo.port, [5])?.0 == 5 { return true }
            }
            return false
        }
        func isSilent(_ link: Int) throws -> Bool { try ask(network, link: link, network.cloudAddress, echo.port, [5]) == nil }
        #expect(try reaches(0))

        network.setBlackout(0, isDark: true)
        #expect(try isSilent(0))
        #expect(try reaches(1))
        network.setBlackout(0, isDark: false)
        #expect(try reaches(0))

        try network.setCarrier(0, isUp: false)
        #expect(try isSilent(0))
        try network.setCarrier(0, isUp: true)
        #expect(try reaches(0))

        try network.remove(0)
        #expect(throws: SystemError.self) { try isSilent(0) }
        try network.add(0, LinkShape(LinkProfile()))
        #expect(try reaches(0))

        try network.changeAddress(1, host: 77)
        #expect(try reaches(1))
    }

    @Test("a packet over a link's MTU vanishes, one that fits passes")
    func mtu() throws {
        var narrow = LinkProfile()
        narrow.mtu = 1300
        let network = try FieldNetwork(links: [LinkShape(narrow)], number: 2)
        defer { network.remove() }
        let echo = try Echo()
        let fits = [UInt8](repeating: 1, count: 1300 - 28)
        #expect(try ask(network, link: 0, network.cloudAddress, echo.port, fits, within: .seconds(5)) != nil)
        #expect(try ask(network, link: 0, network.cloudAddress, echo.port, fits + [1]) == nil)
        #expect(network.count(0, .up).dropped(.mtu) == 1)
    }

    @Test("nothing is left when it is removed, and what a dead process left is swept")
    func leavesNothing() throws {
        let network = try FieldNetwork(links: [LinkShape(LinkProfile())], number: 3)
        let field = network.field.name
        #expect(access("\(NetworkNamespace.folder)/\(field)", F_OK) == 0)
        network.remove()
        #expect(access("\(NetworkNamespace.folder)/\(field)", F_OK) != 0)
        #expect(if_nametoindex("st\(getpid())n3l0") == 0)

        // No process has the largest number that pid_max may be.
        let orphan = "st-4194304-field0"
        try runIP("netns add \(orphan)\n")
        try NetworkNamespace.sweep()
        #expect(access("\(NetworkNamespace.folder)/\(orphan)", F_OK) != 0)
    }
}
